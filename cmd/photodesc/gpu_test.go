package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/rogpeppe/go-internal/testscript"

	"photodesc/internal/photo/faultfs"
	llamacpp "photodesc/third_party/llama.cpp"
	"photodesc/tracker"
)

func init() {
	maps.Copy(scriptCommands, map[string]func(*testscript.TestScript, bool, []string){
		// backend FILE [STAMP]: a library with a backend whose GPU has no memory,
		// built from this program's sources or what the stamp says.
		"backend": func(ts *testscript.TestScript, neg bool, args []string) {
			stamp := llamacpp.Stamp()
			if len(args) > 1 {
				stamp = args[1]
			}
			ggml := ts.Getenv("LLAMACPP") + "/upstream/ml/backend/ggml/ggml"
			ts.Check(ts.Exec("gcc", "-shared", "-fPIC", "-I"+ggml+"/include", "-I"+ggml+"/src",
				`-DSTAMP="`+stamp+`"`, "-o", ts.MkAbs(args[0]), ts.Getenv("LLAMACPP")+"/gpu/fake/backend.c"))
		},
		// same-words DIR DIR: the two workdirs' results have the same descriptions.
		"same-words": func(ts *testscript.TestScript, neg bool, args []string) {
			first, second := words(ts, args[0]), words(ts, args[1])
			if len(first) == 0 || !maps.Equal(first, second) {
				ts.Fatalf("%q\nand\n%q", first, second)
			}
		},
	})
}

// llvmpipe is the file by which Vulkan's loader finds Mesa's device on the CPU,
// empty where it is not installed.
func llvmpipe() string {
	files, _ := filepath.Glob("/usr/share/vulkan/icd.d/lvp_icd*.json")
	if len(files) == 0 {
		return ""
	}
	return files[0]
}

// conditions are those of the scripts beside the usual: vulkan, seccomp, landlock, fuse.
func conditions(cond string) (bool, error) {
	switch cond {
	case "seccomp":
		return seccomp.Supported(), nil
	case "landlock":
		modules, _ := os.ReadFile("/sys/kernel/security/lsm")
		return strings.Contains(string(modules), "landlock"), nil
	case "fuse":
		return faultfs.Available(), nil
	case "vulkan":
	default:
		return false, fmt.Errorf("no condition %q", cond)
	}
	_, err := os.Stat("../../bin/libggml-vulkan.so")
	return err == nil && llvmpipe() != "", nil
}

// words are the descriptions in a workdir, by path.
func words(ts *testscript.TestScript, dir string) map[string]string {
	all := map[string]string{}
	for _, name := range globbed(ts, []string{dir + "/outputs/*.jsonl"}) {
		for line := range strings.Lines(ts.ReadFile(name)) {
			var r tracker.Record
			ts.Check(json.Unmarshal([]byte(line), &r))
			all[r.Path] = r.Description
		}
	}
	return all
}
