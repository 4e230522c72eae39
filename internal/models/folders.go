package models

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"photodesc/internal/fsutil"
	"photodesc/internal/models/gguf"
	"photodesc/internal/models/hub"
)

// Dir returns the folder that models are fetched to: PHOTODESC_MODELS, or
// photodesc/models in the user's cache folder.
func Dir() (string, error) {
	if dir := os.Getenv("PHOTODESC_MODELS"); dir != "" {
		return filepath.Abs(dir)
	}
	return fsutil.CacheDir("models")
}

// place is a path at which a file of a repository may be.
type place struct {
	path string
	ours bool // in Dir: photodesc fetched it
}

// places lists where a file may be, in the order of search: our own folder, the
// Hugging Face cache, llama.cpp's cache.
func places(repo, file string) []place {
	var list []place
	if dir, err := Dir(); err == nil {
		list = append(list, place{filepath.Join(dir, filepath.FromSlash(repo), filepath.FromSlash(file)), true})
		if inCatalogue(repo) { // the names of its files are unique
			list = append(list, place{filepath.Join(dir, filepath.FromSlash(file)), true})
		}
	}
	for _, dir := range snapshots(repo) {
		list = append(list, place{filepath.Join(dir, filepath.FromSlash(file)), false})
	}
	if dir := llamaCache(); dir != "" && !pinned(repo) { // its names have no revision
		list = append(list, place{filepath.Join(dir, strings.ReplaceAll(repo+"/"+file, "/", "_")), false})
	}
	return list
}

func inCatalogue(repo string) bool {
	return slices.ContainsFunc(Catalogue, func(e Entry) bool { return e.Repo == repo })
}

// locate returns the path of a file; empty if it is not on this machine. A damaged
// file in another program's cache is ignored. One of ours is returned, so that the
// check reports it.
func locate(repo, file string) string {
	for _, p := range places(repo, file) {
		info, err := os.Stat(p.path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if !p.ours {
			if _, err := gguf.Open(p.path); err != nil {
				continue
			}
		}
		return p.path
	}
	return ""
}

// localFiles lists the GGUF files of a repository that are on this machine, by
// their paths in the repository. llama.cpp's cache has "_" for the "/" of a
// path, and they stay: locate finds a file under either.
func localFiles(repo string) []string {
	var files []string
	if dir, err := Dir(); err == nil {
		files = append(files, ggufsBelow(filepath.Join(dir, filepath.FromSlash(repo)))...)
	}
	for _, dir := range snapshots(repo) {
		files = append(files, ggufsBelow(dir)...)
	}
	if dir := llamaCache(); dir != "" && !pinned(repo) {
		prefix := strings.ReplaceAll(repo+"/", "/", "_")
		found, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(dir), fsutil.QuoteGlob(prefix)+"*.gguf"))
		for _, f := range found {
			files = append(files, strings.TrimPrefix(filepath.Base(f), prefix))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// ggufsBelow lists the GGUF files in a folder and those in it, relative to it
// and with slashes. The hub's cache has links in the place of files.
func ggufsBelow(dir string) (files []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is not here
		}
		if rel, err := filepath.Rel(dir, path); err == nil && !d.IsDir() && strings.HasSuffix(path, ".gguf") {
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	return files
}

// pinned tells whether the name of a repository says which revision of it.
func pinned(repo string) bool { return strings.Contains(repo, "@") }

// snapshots are the folders of a repository in the caches laid out as the
// Hugging Face hub's: models--OWNER--NAME/snapshots/COMMIT, the one that
// refs/main names first. Of a pinned repository it is that revision's alone.
func snapshots(repo string) []string {
	var list []string
	name, revision := hub.Revision(repo)
	for _, cache := range []string{huggingFaceCache(), os.Getenv("LLAMA_CACHE")} { // newer llama.cpp has the same layout
		if cache == "" {
			continue
		}
		base := filepath.Join(cache, "models--"+strings.ReplaceAll(name, "/", "--"))
		if ref, err := os.ReadFile(filepath.Join(base, "refs", filepath.FromSlash(revision))); err == nil && commit.Match(ref) {
			list = append(list, filepath.Join(base, "snapshots", strings.TrimSpace(string(ref))))
		}
		pattern := "*"
		if pinned(repo) {
			if !commit.MatchString(revision) {
				continue
			}
			pattern = strings.ToLower(revision) + "*" // a commit's first digits name it, too
		}
		others, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(base), "snapshots", pattern))
		for _, dir := range others {
			if !slices.Contains(list, dir) {
				list = append(list, dir)
			}
		}
	}
	return list
}

var commit = regexp.MustCompile(`^[0-9A-Fa-f]{5,64}\s*$`)

func huggingFaceCache() string {
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if dir := os.Getenv(name); dir != "" {
			return hub.Expand(dir)
		}
	}
	if home := hub.Home(); home != "" {
		return filepath.Join(home, "hub")
	}
	return ""
}

func llamaCache() string {
	if dir := os.Getenv("LLAMA_CACHE"); dir != "" {
		return dir
	}
	if runtime.GOOS == "darwin" {
		if base, err := os.UserCacheDir(); err == nil {
			return filepath.Join(base, "llama.cpp")
		}
		return ""
	}
	if base := hub.DotCache(); base != "" {
		return filepath.Join(base, "llama.cpp")
	}
	return ""
}
