//go:build !llama_system

package llm

import (
	"fmt"

	"photodesc/internal/families"
)

// newFrontend loads the vision file with the front end of its family.
func newFrontend(m *textModel, gpu bool, opt Options) (frontend, error) {
	projector, err := projectorOf(opt.Vision)
	if err != nil {
		return nil, err
	}
	family, known := families.ByProjector(projector)
	if !known {
		return nil, fmt.Errorf("the vision file is of the type %q, which photodesc does not know", projector)
	}
	if family.Tiled {
		return newTiledFrontend(m, gpu, opt)
	}
	return newMTMDFrontend(m, family, gpu, opt)
}
