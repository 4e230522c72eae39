package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/kinds"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// A photo of a kind that was once described from wrong pixels, or called damaged
// when it was whole, and what must be said of it.
type kindOfPhoto struct {
	file  string // its name in a testdata folder below internal/photo, there perhaps with .gz
	size  string // upright, as stored
	words string // of the description, separated by spaces; of a failure: its kind and words of its message
}

// Unless its words say otherwise, each is a red circle at the top left on white.
var kindsOfPhotos = []kindOfPhoto{
	{"grey8.bmp", "160x120", "grey circle top left white"}, // a palette of 256
	{"v5_alpha0.bmp", "160x120", "red circle top left white"},
	{"gif_first_blank.gif", "512x384", "red circle top left white"},
	{"apng_default_hidden_blank.png", "512x384", "red circle top left white"},
	{"f32_linear_icc.tif", "160x120", "red circle top left white"},
	{"f32_prophoto_icc.tif", "160x120", "red circle top left white"},
	{"ok_f32_no_icc.tif", "160x120", "red circle top left white"},
	{"gama10_grey_circle.png", "512x384", "grey circle top left white"},
	{"pq_cicp.png", "512x384", "red circle top left white"},
	{"pq.avif", "512x384", "red circle top left white"},
	{"ios18_auxl_two_refs.heic", "512x384", "red circle top left white"},
	{"DSC0001.HIF", "512x384", "red circle top left white"},
	{"p_rawprofile_im6.png", "512x384", "red circle top left white"},
	{"portrait6.cr3", "1600x1200", "red circle top left white"},
	{"lossy_tiles.dng", "256x192", "red circle top left white"}, // its small preview
	{"cmyk_selection.tif", "160x120", "red circle top left white"},
	{"rgb_saved_selection.tif", "160x120", "red circle top left white"},
	{"rgba_plus_spot.tif", "160x120", "red circle top left white"},
	{"rgb_u32.tif", "160x120", "red circle top left white"},
	{"grey_f32_0to1.tif", "160x120", "grey circle top left white"},
	{"f32_0to255.tif", "160x120", "red circle top left white"},
	{"page0_reduced.tif", "160x120", "red circle top left white"},
	{"yuv444.tif", "160x120", "red circle top left white"},
	{"half_float.tif", "160x120", "red circle top left white"},
	{"double.tif", "160x120", "red circle top left white"},
	{"zero_tail.heic", "", "unreadable: damaged zeros"},
	{"gif_zero_tail.gif", "", "unreadable: damaged"},
	{"jpeg_4k_hole.jpg", "", "unreadable: damaged zeros"},
	{"jpeg_50pct_zeros.jpg", "", "unreadable: damaged zeros"},
	{"jpeg_90pct_zeros.jpg", "", "unreadable: damaged zeros"},
	{"jpeg_crlf.jpg", "", "unreadable: damaged binary"},
}

// TestKindsOfPhotos has the real program describe them.
func TestKindsOfPhotos(t *testing.T) {
	dir := t.TempDir()
	photos, work := filepath.Join(dir, "photos"), filepath.Join(dir, "work")
	want := map[string]kindOfPhoto{}
	for _, k := range kindsOfPhotos {
		want[k.file] = k
	}
	err := filepath.WalkDir("../../internal/photo", func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimSuffix(filepath.Base(path), ".gz")
		if _, wanted := want[name]; err != nil || d.IsDir() || !wanted {
			return err
		}
		return copyUnpacked(path, filepath.Join(photos, name))
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "-C", work, "run", "--model", "builtin", photos)
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != ui.ExitOK && code != ui.ExitFailed {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	got := records(t, work)
	for _, k := range kindsOfPhotos {
		rec, found := got[k.file]
		if !found {
			t.Errorf("%s: no result", k.file)
			continue
		}
		size, text := fmt.Sprintf("%dx%d", rec.Width, rec.Height), rec.Description
		if rec.Status == tracker.Failed {
			size, text = "", string(rec.Error.Kind)+": "+rec.Error.Message
		}
		for _, word := range strings.Fields(k.words) {
			if !strings.Contains(text, word) {
				t.Errorf("%s: %q is not in %q", k.file, word, text)
			}
		}
		if size != k.size {
			t.Errorf("%s: size %q, want %q", k.file, size, k.size)
		}
		if k.size == "" && rec.Error != nil && rec.Error.Kind != kinds.Unreadable {
			t.Errorf("%s: it is %q", k.file, rec.Error.Kind)
		}
	}
}

// copyUnpacked copies a file, unpacked if it is a gzip.
func copyUnpacked(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(from, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(r)
	return errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o644))
}
