// Command mkphotos draws the pictures of examples/photos. It is for developers and
// is not shipped.
//
//	go run ./tools/mkphotos [-o examples/photos]
//
// The pictures are committed, so that tests need no encoders. JPEG, PNG and BMP
// are written in Go; for the other formats it calls ImageMagick's convert.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("o", "examples/photos", "write the pictures under this `folder`")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "mkphotos:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	total := int64(0)
	for _, p := range pictures() {
		path := filepath.Join(out, filepath.FromSlash(p.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := p.write(path); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		total += info.Size()
		fmt.Printf("%7d  %s\n", info.Size(), p.name)
	}
	fmt.Printf("%7d  bytes in all\n", total)
	return nil
}
