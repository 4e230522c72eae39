package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// pack writes the tar archive for the machine with the GPU. It runs in the repository and compiles with the flags of the
// environment, which `make gpucheck` sets.
func pack(ctx context.Context, w io.Writer) error {
	tmp, err := os.MkdirTemp("", "photodesc-gpucheck-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	p := &packer{tar: tar.NewWriter(w), tmp: tmp}
	return errors.Join(p.pack(ctx), p.tar.Close())
}

type packer struct {
	tar *tar.Writer
	tmp string
}

const (
	upstream = "third_party/llama.cpp/upstream"
	ggml     = upstream + "/ml/backend/ggml/ggml"
	builtin  = "internal/models/builtin"
	golden   = builtin + "/testdata/golden"
)

func (p *packer) pack(ctx context.Context) error {
	version, _ := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	program := filepath.Join(p.tmp, "photodesc")
	for _, build := range []struct {
		out, pkg, to string
		env          []string
	}{
		{program, "./cmd/photodesc", "bin/photodesc", nil},
		{filepath.Join(p.tmp, "mkmodel"), "./tools/mkmodel", "bin/mkmodel", []string{"CGO_ENABLED=0"}},
		{filepath.Join(p.tmp, "gpucheck"), "./tools/gpucheck", "gpucheck", []string{"CGO_ENABLED=0"}},
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w -X main.version="+strings.TrimSpace(string(version)), "-o", build.out, build.pkg)
		cmd.Env = append(os.Environ(), build.env...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building %s: %w", build.pkg, err)
		}
		if err := p.file(build.out, build.to); err != nil {
			return err
		}
	}
	libs, err := libraries(ctx, program)
	if err != nil {
		return err
	}
	for _, lib := range libs {
		if err := p.file(lib, "lib/"+filepath.Base(lib)); err != nil {
			return err
		}
	}
	q8 := filepath.Join(p.tmp, "q8_0")
	if err := os.Mkdir(q8, 0o777); err != nil {
		return err
	}
	quantise := exec.CommandContext(ctx, "go", "run", "./tools/quantise", "-o", q8, builtin+"/builtin.gguf", builtin+"/mmproj-builtin.gguf")
	if out, err := quantise.CombinedOutput(); err != nil {
		return fmt.Errorf("quantising the built-in model: %w\n%s", err, out)
	}
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/ollama/ollama").Output()
	if err != nil {
		return err
	}
	if err := p.bytes(module, "module"); err != nil {
		return err
	}
	for _, file := range []string{"third_party/llama.cpp/gpu/gpu.mk", "third_party/llama.cpp/gpu/stamp.cpp", upstream + "/llama/build-info.cpp"} {
		if err := p.file(file, file); err != nil {
			return err
		}
	}
	return errors.Join(
		p.folder(ggml+"/include", ggml+"/include", ""),
		p.folder(ggml+"/src", ggml+"/src", ".h"),
		p.folder(ggml+"/src/ggml-cuda", ggml+"/src/ggml-cuda", ""),
		p.file(golden+"/golden.json", "golden/golden.json"),
		p.folder(golden+"/pictures", "golden/pictures", ""),
		p.folder(q8, "golden/q8_0", ""),
	)
}

// ownLibraries are the libraries that are not packed, because they must be those of the machine: the parts of its C library
// belong together, and its compiler links the CUDA library with its C++ library.
var ownLibraries = regexp.MustCompile(`^(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|stdc\+\+|gcc_s))\.so`)

// libraries lists the shared libraries of a program by ldd.
func libraries(ctx context.Context, program string) (libs []string, err error) {
	out, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, rest, found := strings.Cut(strings.TrimSpace(line), " => ")
		if !found || ownLibraries.MatchString(name) {
			continue
		}
		path, _, _ := strings.Cut(rest, " ")
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("ldd does not find %s", name)
		}
		libs = append(libs, path)
	}
	return libs, nil
}

// folder packs the files of a folder, and those below it where the ending is any.
func (p *packer) folder(dir, to, ending string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != dir && ending != "" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ending) {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return p.file(path, to+"/"+filepath.ToSlash(rel))
	})
}

// file packs a file, or the target of a link.
func (p *packer) file(path, to string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	if err := p.header(to, mode, info.Size()); err != nil {
		return err
	}
	_, err = io.Copy(p.tar, f)
	return err
}

func (p *packer) bytes(data []byte, to string) error {
	if err := p.header(to, 0o644, int64(len(data))); err != nil {
		return err
	}
	_, err := p.tar.Write(data)
	return err
}

func (p *packer) header(to string, mode, size int64) error {
	return p.tar.WriteHeader(&tar.Header{Name: "photodesc-gpucheck/" + to, Mode: mode, Size: size, Format: tar.FormatPAX})
}
