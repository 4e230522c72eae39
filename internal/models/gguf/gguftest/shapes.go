package gguftest

import (
	"fmt"
	"os/exec"
)

// Others are mkmodel's small models of other families than SmolVLM's. It is the
// one list of them that tests read.
var Others = []string{"tiny-qwen2.5vl", "tiny-qwen3vl", "tiny-gemma3", "tiny-internvl"}

// WriteModels has mkmodel write the small models of all families to dir, as
// SHAPE.gguf and mmproj-SHAPE.gguf. The flags are mkmodel's.
func WriteModels(dir string, flags ...string) error {
	args := append([]string{"run", "photodesc/tools/mkmodel", "-o", dir}, flags...)
	args = append(append(args, "tiny"), Others...)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mkmodel: %w\n%s", err, out)
	}
	return nil
}
