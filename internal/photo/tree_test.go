package photo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/fsutil"
)

// folderTree shows a folder as a Tree.
type folderTree string

func (t folderTree) ReadDir(rel string, add func(name string, folder bool)) error {
	entries, err := os.ReadDir(fsutil.Join(string(t), rel))
	for _, e := range entries {
		add(e.Name(), e.IsDir())
	}
	return err
}

func (t folderTree) ReadHead(_ context.Context, rel string, n int) ([]byte, error) {
	b, err := os.ReadFile(fsutil.Join(string(t), rel))
	return b[:min(n, len(b))], err
}

// The rules of what is a photo and what is left out are the same in a folder and in a tree.
func TestTree(t *testing.T) {
	root := t.TempDir()
	jpeg := "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	for path, text := range map[string]string{
		"a.jpg": jpeg, "b/c.JPEG": jpeg, "b/.hidden.jpg": jpeg, ".trash/x.jpg": jpeg, "b/@eaDir/c.jpg": jpeg, "IMG_1.jpg.1": jpeg, "notes.txt": "x",
		"odd.jpg~": jpeg, "odd2.jpg~": "text", "c/.photodescignore": "no*.jpg\n!keep.txt\n[\n", "c/no1.jpg": jpeg, "c/yes.jpg": jpeg, "c/keep.txt": jpeg,
		"upload/u.jpg": jpeg, "thumbs/.immich": "", "thumbs/t.jpg": jpeg, "library/l.jpg": jpeg,
		"encoded-video/0/1/2/x-preview.jpeg": jpeg, "r/recycler/info2": "x", "r/recycler/x.jpg": jpeg, "s/recycler/x.jpg": jpeg,
		"p/AlbumData.xml": "", "p/Data/x.jpg": jpeg, "p/Originals/o.jpg": jpeg, "Shot/thumbs/thumbs128/x.jpg": jpeg, "Shot/thumbs/y.jpg": jpeg,
		"photo.heic.icloud": "x", "x.docx": "x", "v.mp4": "x", "n\new.jpg": jpeg, "\xff.jpg": jpeg,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(fsutil.Join(root, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	include, err := ParsePatterns([]string{"/notes.txt", ".trash"})
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range []WalkOptions{{}, {Include: include}, {Shard: Shard{1, 3}}} {
		walk := func(tree Tree) (found []string, out LeftOut, warned []string) {
			opts := opts
			opts.Tree, opts.LeftOut = tree, &out
			opts.Warn = func(rel string, err error) { warned = append(warned, fmt.Sprint(rel, err)) }
			if err := Walk(t.Context(), root, opts, func(rel string) error { found = append(found, rel); return nil }); err != nil {
				t.Fatal(err)
			}
			return found, out, warned
		}
		found, out, warned := walk(nil)
		tree, treeOut, treeWarned := walk(folderTree(root))
		if len(found) < 3 || !slices.Equal(found, tree) {
			t.Errorf("folder: %q\n tree: %q", found, tree)
		}
		if !reflect.DeepEqual(out, treeOut) || !slices.Equal(warned, treeWarned) {
			t.Errorf("folder: %+v %q\n tree: %+v %q", out, warned, treeOut, treeWarned)
		}
		if opts.Shard.Of == 0 && (len(warned) != 1 || strings.Contains(fmt.Sprint(found), "thumbs")) {
			t.Errorf("warned %q, found %q", warned, found)
		}
	}
}
