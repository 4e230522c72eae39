package photo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIsPhoto(t *testing.T) {
	yes := []string{"a.jpg", "A.JPG", "a.JpEg", "a.jpe", "a.jfif", "a.png", "a.webp", "a.gif", "a.bmp", "a.tif",
		"a.tiff", "a.heic", "a.heif", "a.avif", "a.jxl", "a.b.c.NEF", "a.3fr", "a.cr3", "a.RW2", ".jpg"}
	no := []string{"", "jpg", "a.", "a.svg", "a.txt", "a.jpg.part", "a.jpgx", "a.mp4", "a.jpg ", "a.xmp", "a.ıff"}
	for _, n := range yes {
		if !IsPhoto(n) {
			t.Errorf("%q is none", n)
		}
	}
	for _, n := range no {
		if IsPhoto(n) {
			t.Errorf("%q is one", n)
		}
	}
	if !IsRaw("x.DNG") || IsRaw("x.tif") || IsRaw("x") {
		t.Error("IsRaw")
	}
}

func TestSniff(t *testing.T) {
	for _, c := range []struct{ head, want string }{
		{"", ""}, {"B", ""}, {"random bytes", ""},
		{"\xff\xd8\xff\xe0", FormatJPEG},
		{"RIFF\x00\x00\x00\x00WEBPVP8X", FormatWebP},
		{"RIFF\x00\x00\x00\x00WAVEfmt ", ""},
		{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", FormatHEIF},
		{"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", FormatAVIF},
		{"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41", FormatMP4},
		{"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", FormatRAW},
		{"\xff\xff\xff\xffftypzzzz", FormatMP4},
		{"FUJIFILMCCD-RAW 0201", FormatRAW},
		{"II*\x00", FormatTIFF}, {"MM\x00+", FormatTIFF},
		{"<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY l \"l\">]><svg", FormatSVG},
		{" \n<SVG xmlns", FormatSVG},
		{"<html>", ""},
	} {
		if got := Sniff([]byte(c.head)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.head, got, c.want)
		}
	}
}

func TestSniffExamples(t *testing.T) {
	want := map[string]string{".jpg": FormatJPEG, ".png": FormatPNG, ".webp": FormatWebP, ".tiff": FormatTIFF,
		".heic": FormatHEIF, ".avif": FormatAVIF, ".gif": FormatGIF, ".bmp": FormatBMP}
	found, _ := walked(t, "../../examples/photos")
	if len(found) < 16 {
		t.Fatalf("only %d examples", len(found))
	}
	for _, rel := range found {
		data, err := os.ReadFile(filepath.Join("../../examples/photos", rel))
		if err != nil {
			t.Fatal(err)
		}
		if got := Sniff(data[:SniffLen]); got != want[filepath.Ext(rel)] {
			t.Errorf("%s: %q", rel, got)
		}
	}
}

// TestFormatsInDocs checks that the help of run and the documentation name each
// format that may be described.
func TestFormatsInDocs(t *testing.T) {
	help, err := os.ReadFile("../../cmd/photodesc/help.go")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var docs strings.Builder
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		docs.Write(text)
	}
	names := map[string]string{FormatHEIF: "HEIC", FormatJXL: "JPEG XL", FormatWebP: "WebP"} // others in capitals
	heads := []string{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00"}
	for _, m := range magics {
		heads = append(heads, strings.Repeat("\x00", m.at)+m.bytes)
	}
	for _, head := range heads {
		format := Sniff([]byte(head))
		if !hasPicture([]byte(head)) && format != FormatBMP {
			continue
		}
		name := names[format]
		if name == "" {
			name = strings.ToUpper(format)
		}
		if !strings.Contains(string(help), name) || !strings.Contains(docs.String(), name) {
			t.Errorf("%s is not in cmd/photodesc/help.go, or not in README.md or docs", name)
		}
	}
}

func TestKindOf(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("around: %w", Errorf(TooLarge, "a\nb", "it is: %w", cause))
	if KindOf(err) != TooLarge || !errors.Is(err, cause) || KindOf(cause) != "" {
		t.Error(err)
	}
	if got, want := err.Error(), `around: "a\nb": it is: cause`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x18ftypheic"))
	f.Add([]byte("\xff\xff\xff\xffftypavif\x00"))
	f.Fuzz(func(t *testing.T, head []byte) { Sniff(head) })
}

// FuzzWalk makes a file, a folder and a link of any name: the walk ends and
// finds the file exactly if its name is a photo's.
func FuzzWalk(f *testing.F) {
	f.Add("a.jpg", "folder")
	f.Add(".a.jpg", "@eaDir")
	f.Add("\xff\n\".PNG", "x.jpg")
	f.Fuzz(func(t *testing.T, name, folder string) {
		root := t.TempDir()
		if os.Mkdir(root+"/"+folder, 0o755) != nil || filepath.Dir(filepath.Clean(root+"/"+folder)) != root {
			t.Skip()
		}
		path := root + "/" + folder + "/" + name
		if os.WriteFile(path, nil, 0o644) != nil || filepath.Dir(filepath.Clean(path)) != filepath.Clean(root+"/"+folder) {
			t.Skip()
		}
		os.Symlink("..", root+"/"+folder+"/"+name+"~")
		found, _ := walked(t, root)
		want := 0
		inside := filepath.Clean(folder)
		if IsPhoto(name) && name[0] != '.' && ruleFor(place{path: root + "/" + inside, name: strings.ToLower(inside), parent: strings.ToLower(filepath.Base(root)), beside: func(string) bool { return false }}) == "" {
			want = 1
		}
		if len(found) != want {
			t.Errorf("%q in %q: found %q", name, folder, found)
		}
	})
}
