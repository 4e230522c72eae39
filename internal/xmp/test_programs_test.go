package xmp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPrograms has photo programs read sidecars: `make test-programs`, which installs them.
func TestPrograms(t *testing.T) {
	if os.Getenv("PHOTODESC_TEST_PROGRAMS") == "" {
		t.Skip("make test-programs runs this")
	}
	dir := t.TempDir()
	photo, err := os.ReadFile("../../examples/photos/red-circle-orientation-1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	made, err := New(sea, Embedded{})
	if err != nil {
		t.Fatal(err)
	}
	for of, data := range map[string]string{"new": string(made), "darktable": updated(t, samples["darktable"], sea, Embedded{}),
		"digikam": updated(t, samples["digikam"], sea, Embedded{}), "immich": updated(t, samples["immich"], sea, Embedded{}),
		"lightroom": updated(t, samples["lightroom"], sea, Embedded{}), "apple": updated(t, samples["apple"], sea, Embedded{}),
		"empty": updated(t, samples["empty values"], sea, Embedded{}), "crlf": updated(t, samples["crlf and BOM"], sea, Embedded{})} {
		t.Run(of, func(t *testing.T) {
			name := filepath.Join(dir, of+".jpg")
			if err := os.WriteFile(name, photo, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name+".xmp", []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			want := get(t, data, description)
			byExiv2(t, name+".xmp", want, get(t, data, subject))
			byDarktable(t, dir, name, want)
			if read(t, name+".xmp") != data {
				t.Error("the sidecar was changed")
			}
		})
	}
}

// run returns what a program says.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
	return string(out)
}

func byExiv2(t *testing.T, sidecar string, description, keywords []string) {
	t.Helper()
	out := run(t, "exiv2", "-PXkt", sidecar)
	t.Logf("exiv2:\n%s", regexp.MustCompile(`(?m)^(Xmp\.(crs|exif|darktable|acdsee|photodesc).*\n)`).ReplaceAllString(out, ""))
	for _, want := range append(slices.Clone(description), strings.Join(keywords, ", "), "A dog at the sea") {
		if !strings.Contains(out, want) {
			t.Errorf("exiv2 does not show %q:\n%s", want, out)
		}
	}
}

// byDarktable exports the photo, with the metadata that darktable has taken from the sidecar.
func byDarktable(t *testing.T, dir, photo string, want []string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name) }
	out := in("out-" + filepath.Base(photo))
	run(t, "darktable-cli", photo, out, "--core", "--disable-opencl", "--library", in("library.db"), "--configdir", in("conf"), "--cachedir", in("cache"))
	var shown bytes.Buffer
	shown.WriteString(run(t, "exiftool", "-s", "-XMP:Description", "-XMP:Subject", "-XMP:AltTextAccessibility", "-XMP:CaptionWriter", "-XMP:Rating", out))
	t.Logf("darktable:\n%s", &shown)
	text := shown.String()
	for _, w := range append(slices.Clone(want), "dog", "sea", "A dog at the sea") {
		if !strings.Contains(text, w+"\n") && !regexp.MustCompile(`(?m)^Subject.*\b`+regexp.QuoteMeta(w)+`\b`).MatchString(text) {
			t.Errorf("darktable does not show %q:\n%s", w, text)
		}
	}
}
