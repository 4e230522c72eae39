package storage

import (
	"os"
	"path/filepath"
	"testing"
)

// A photo is gone where its folder, or the one in which that is missing, is there and has something in it.
func TestAbsence(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"full/there.jpg", "unread/there.jpg", "empty/x/y.jpg", "file.jpg"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(root, "empty/x/y.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "nowhere"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	mounted := NewMountPoints(root)
	a := NewAbsence(root, mounted, []string{"card"}, []string{"unread"})
	for rel, want := range map[string]bool{
		"full/there.jpg": false, "full/gone.jpg": true, "full/was/below/gone.jpg": true, "gone.jpg": true, "folder/gone.jpg": true,
		"empty/x/gone.jpg": false, "empty/gone.jpg": true, // there is a folder in it
		"unread/gone.jpg": false, "unread2/gone.jpg": true, "card/gone.jpg": false, "cards/gone.jpg": true,
		"link/gone.jpg": false, "file.jpg/gone.jpg": true,
		"odd \xff\n\"/-rf.jpg": true,
	} {
		if got := a.Gone(rel); got != want {
			t.Errorf("%q is gone: %v", rel, got)
		}
	}
	if !a.Missing("empty/x/gone.jpg") || a.Missing("unread/gone.jpg") || a.Certain() {
		t.Error("what is missing is not")
	}
	// What was mounted somewhere when the walk began is another folder now.
	replaced := filepath.Join(root, "full")
	mounted.Add(replaced)
	if err := os.Rename(replaced, filepath.Join(root, "away")); err != nil {
		t.Fatal(err)
	}
	if NewAbsence(root, mounted, nil, nil).Gone("full/there.jpg") {
		t.Error("a disk that went during the walk makes photos gone")
	}
	if NewAbsence(root, mounted, []string{"."}, nil).Gone("gone.jpg") {
		t.Error("the disk of the photo folder is not mounted, and photos are gone")
	}
}
