package photo

import (
	"context"
	"strings"
)

// Tree is a tree of files that is no folder of the file system, such as the objects of a bucket. Paths are relative to its root, with
// '/' between folders; "." is the root. A file and a folder may have the same path.
type Tree interface {
	// ReadDir calls add with each name in a folder.
	ReadDir(rel string, add func(name string, folder bool)) error

	// ReadHead returns the first bytes of a file, at most n.
	ReadHead(ctx context.Context, rel string, n int) ([]byte, error)
}

// treeHas reports whether a folder of a tree has an entry of that name.
func treeHas(t Tree, dir, name string) (has bool) {
	_ = t.ReadDir(dir, func(n string, _ bool) { has = has || n == name })
	return has
}

// treeLooksInside is looksInside for a tree.
func treeLooksInside(t Tree, dir string, levels int, wanted func(name string) bool) bool {
	var folders []string
	found, seen := false, 0
	_ = t.ReadDir(dir, func(name string, folder bool) {
		if seen++; seen > firstInside {
			return
		}
		found = found || wanted(strings.ToLower(name))
		if folder {
			folders = append(folders, name)
		}
	})
	for _, name := range folders {
		if found || levels < 2 {
			break
		}
		found = treeLooksInside(t, dir+"/"+name, levels-1, wanted)
	}
	return found
}
