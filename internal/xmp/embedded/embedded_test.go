package embedded

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/xmp"
)

func exiftool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("exiftool", args...).CombinedOutput(); err != nil {
		t.Fatalf("exiftool %q: %v: %s\n  make setup-test installs it", args, err, out)
	}
}

// photos are the examples by format.
func photos(t *testing.T) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	formats := map[string]string{}
	err := filepath.WalkDir("../../../examples/photos", func(path string, d os.DirEntry, err error) error {
		end := strings.ToLower(filepath.Ext(path))
		if err != nil || d.IsDir() || formats[end] != "" || !slices.Contains([]string{".jpg", ".png", ".webp", ".tiff", ".heic", ".avif"}, end) {
			return err
		}
		formats[end] = filepath.Join(dir, "photo"+end)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		paths = append(paths, formats[end])
		return os.WriteFile(formats[end], data, 0o600)
	})
	if err != nil || len(paths) < 5 {
		t.Fatal(paths, err)
	}
	return paths
}

// TestRead reads what exiftool has written, by format.
func TestRead(t *testing.T) {
	all := photos(t)
	var args []string
	for _, path := range all {
		if in, err := Read(path); err != nil || len(in.Packet) > 0 || len(in.Fields) > 0 {
			t.Fatalf("before: %q, %q, %v", in.Packet, in.Fields, err)
		}
		args = append(args, "-XMP-dc:Title=Title, ü", "-XMP-xmp:Rating=4", "-EXIF:ImageDescription=By a person", "-EXIF:Artist=Ada")
		if hasIPTC(path) {
			args = append(args, "-codedcharacterset=utf8", "-IPTC:Keywords=sea", "-IPTC:Keywords=café", "-IPTC:City=Zürich", "-IPTC:Caption-Abstract=Caption")
		}
		args = append(args, path, "-execute")
	}
	exiftool(t, append(args[:len(args)-1], "-common_args", "-q", "-overwrite_original")...)
	for _, path := range all {
		in, err := Read(path)
		if err != nil || !strings.Contains(string(in.Packet), "Title, ü") {
			t.Errorf("%s: %q, %v", path, in.Packet, err)
			continue
		}
		want := map[string]string{"dc:description": "By a person", "dc:creator": "Ada"}
		if hasIPTC(path) {
			want = map[string]string{"dc:description": "Caption", "dc:creator": "Ada", "dc:subject": "sea|café", "photoshop:City": "Zürich"}
		}
		got := map[string]string{}
		for _, f := range in.Fields {
			got[f.Name] = strings.Join(f.Values, "|")
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		out, err := xmp.New(xmp.Text{Description: "By a model", Keywords: []string{"gull"}, Model: "m"}, in)
		if err != nil || strings.Contains(string(out), "By a model") || !strings.Contains(string(out), "gull") || !strings.Contains(string(out), "Title, ü") {
			t.Errorf("%s: %v: %s", path, err, out)
		}
		if hasIPTC(path) && (!strings.Contains(string(out), "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">Caption") || !strings.Contains(string(out), "café</rdf:li>")) {
			t.Errorf("%s: a new sidecar hides IPTC: %s", path, out)
		}
	}
}

func hasIPTC(path string) bool {
	return strings.HasSuffix(path, ".jpg") || strings.HasSuffix(path, ".tiff")
}

func TestPacket(t *testing.T) {
	const packet = `<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><a/><?xpacket end='w'?>`
	for data, want := range map[string]string{
		"FUJIFILMCCD-RAW 0201" + packet + "rest":                  packet,
		"FUJIFILMCCD-RAW 0201":                                    "",
		"GIF89a" + packet:                                         packet,
		"FUJIFILMCCD-RAW 0201" + packet[:len(packet)-20] + "rest": "error",
	} {
		in, err := read(strings.NewReader(data), true)
		if (err != nil) != (want == "error") || err == nil && string(in.Packet) != want {
			t.Errorf("%q: %q, %v", data, in.Packet, err)
		}
	}
}

func TestUnmarked(t *testing.T) {
	for read, want := range map[string]string{"cafÃ©": "café", "café": "café", "Zürich": "Zürich", "plain": "plain", "日本": "日本"} {
		if got := unmarked(read); got != want {
			t.Errorf("%q: %q", read, got)
		}
	}
}

// FuzzRead reads files of any bytes.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"green-triangle.tiff", "orange-star-orientation-4.jpg"} {
		data, err := os.ReadFile(filepath.Join("../../../examples/photos", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4096)], false)
	}
	f.Add([]byte("GIF89a<?xpacket begin='' id=''?><?xpacket end='w'?>"), true)
	f.Fuzz(func(t *testing.T, data []byte, raw bool) {
		in, err := read(strings.NewReader(string(data)), raw)
		if err == nil {
			_, _ = xmp.New(xmp.Text{Description: "A dog"}, in)
		}
	})
}
