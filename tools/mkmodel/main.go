// Command mkmodel writes models with random weights, for tests and for measuring speed: SmolVLM's shapes, and tiny ones
// of other vision models.
//
//	go run ./tools/mkmodel -o DIR [-type q8_0|f16] [-seed N] [-longest-edge PIXELS] SHAPE...
//
// A shape becomes a pair of GGUF files, SHAPE.gguf (text model) and mmproj-SHAPE.gguf (vision encoder). Answers of such
// a model make no sense; its speed and its memory are those of a trained model of the same shape.
//
// With -longest-edge only the vision file is written, as mmproj-SHAPE-PIXELS.gguf: llama.cpp's server resizes photos to
// the longest edge that this file says, and so cuts them into more tiles or fewer.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/ollama/ollama/fs/ggml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "mkmodel:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("mkmodel", flag.ContinueOnError)
	dir := flags.String("o", ".", "folder to write to")
	typeName := flags.String("type", "q8_0", "type of the matrices: q8_0 or f16")
	seed := flags.Uint64("seed", 0, "seed of the random weights")
	sparse := flags.Bool("published", false, "write models of the catalogue, by their names there, with zeros for weights that take no space on a disk")
	longest := flags.Uint("longest-edge", 0, "write the vision file alone, for photos resized to so many `pixels`")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: mkmodel -o DIR [-type q8_0|f16] [-seed N] [-longest-edge PIXELS] SHAPE...\nshapes: %s\nwith -published: %s, or all\n",
			strings.Join(shapeNames(), ", "), strings.Join(publishedNames(), ", "))
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return flag.ErrHelp
	}
	matrix, err := ggml.ParseFileType(strings.ToUpper(*typeName))
	if err != nil || (matrix != ggml.FileTypeQ8_0 && matrix != ggml.FileTypeF16) {
		return fmt.Errorf("type %q is neither q8_0 nor f16", *typeName)
	}
	if *sparse {
		return writePublished(*dir, flags.Args())
	}
	for _, name := range flags.Args() {
		if !slices.Contains(shapeNames(), name) {
			return fmt.Errorf("no shape %q; there are %s", name, strings.Join(shapeNames(), ", "))
		}
	}
	if *longest > 1<<14 {
		return fmt.Errorf("a longest edge of %d pixels is larger than any model takes; the limit is 16384", *longest)
	}
	if err := os.MkdirAll(*dir, 0o777); err != nil {
		return err
	}
	for _, name := range flags.Args() {
		if *longest > 0 {
			if err := writeResized(*dir, name, matrix, *seed, int(*longest)); err != nil {
				return err
			}
			continue
		}
		begin := time.Now()
		bytes, err := writePair(*dir, name, matrix, *seed)
		if err != nil {
			return err
		}
		fmt.Printf("%s and its mmproj: %s in %.1f s\n", filepath.Join(*dir, name+".gguf"), humanize.Bytes(uint64(bytes)), time.Since(begin).Seconds())
	}
	return nil
}

// writePublished writes pairs of sparse files of models of the catalogue.
func writePublished(dir string, names []string) error {
	if slices.Equal(names, []string{"all"}) {
		names = publishedNames()
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, name := range names {
		if _, known := published[name]; !known {
			return fmt.Errorf("no model %q; there are %s, and all", name, strings.Join(publishedNames(), ", "))
		}
		p := newPublished(name)
		if _, err := writeFile(filepath.Join(dir, name+".gguf"), p.textKV, p.text); err != nil {
			return err
		}
		if _, err := writeFile(filepath.Join(dir, "mmproj-"+name+".gguf"), p.visionKV, p.vision); err != nil {
			return err
		}
	}
	return nil
}

// pair is the content of a model's two files.
type pair struct {
	textKV, visionKV ggml.KV
	text, vision     []*ggml.Tensor
}

func newPair(name string, matrix ggml.FileType, seed uint64) pair {
	if other, ok := others[name]; ok {
		return other(name, matrix, seed)
	}
	if other, ok := newer[name]; ok {
		return other(name, matrix, seed)
	}
	s := shapes[name]
	return pair{textKV(name, s, matrix), visionKV(name, s, matrix), textTensors(s, matrix, seed), visionTensors(s, matrix, seed)}
}

// writePair writes both files of a shape and returns their size together.
func writePair(dir, name string, matrix ggml.FileType, seed uint64) (int64, error) {
	p := newPair(name, matrix, seed)
	text, err := writeFile(filepath.Join(dir, name+".gguf"), p.textKV, p.text)
	if err != nil {
		return 0, err
	}
	vision, err := writeFile(filepath.Join(dir, "mmproj-"+name+".gguf"), p.visionKV, p.vision)
	return text + vision, err
}

// writeResized writes the vision file of a shape as writePair does, for photos of another longest edge.
func writeResized(dir, name string, matrix ggml.FileType, seed uint64, longest int) error {
	s, ours := shapes[name]
	if !ours {
		return fmt.Errorf("-longest-edge is for SmolVLM's shapes, which %s is not", name)
	}
	s.vision.longestEdge = longest
	path := filepath.Join(dir, fmt.Sprintf("mmproj-%s-%d.gguf", name, longest))
	bytes, err := writeFile(path, visionKV(name, s, matrix), visionTensors(s, matrix, seed))
	if err == nil {
		fmt.Printf("%s: %s\n", path, humanize.Bytes(uint64(bytes)))
	}
	return err
}

// writeFile writes one GGUF file under a temporary name and moves it into place when it is complete.
func writeFile(path string, kv ggml.KV, tensors []*ggml.Tensor) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) // finds nothing once the file has moved
	defer f.Close()
	if err := ggml.WriteGGUF(f, kv, tensors); err != nil {
		return 0, fmt.Errorf("writing %q: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(f.Name(), path)
}
