package xmp

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func exiftool(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("exiftool", append(args, "-q")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("exiftool %q: %v: %s%s\n  make setup-test installs it", args, err, out, &stderr)
	}
	return out
}

// shown are the tags of sidecars as exiftool reads them, by file name.
func shown(t *testing.T, paths []string) map[string]map[string]any {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal(exiftool(t, append([]string{"-json", "-a", "-G1"}, paths...)...), &list); err != nil {
		t.Fatal(err)
	}
	tags := map[string]map[string]any{}
	for _, one := range list {
		tags[filepath.Base(one["SourceFile"].(string))] = one
	}
	return tags
}

// strings of a tag, which exiftool gives as a text or a list.
func textsOf(value any) (list []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, s := range v {
			list = append(list, textsOf(s)...)
		}
	}
	return list
}

// TestExiftool has exiftool read what was written, rewrite it, and change it as a person
// would.
func TestExiftool(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"new": bare}
	for of, data := range samples {
		// These exiftool does not read, with or without the block.
		if !slices.Contains([]string{"other prefixes", "default namespace", "cdata, comment"}, of) {
			files[of] = data
		}
	}
	var paths []string
	personal := map[string]bool{}
	for of, data := range files {
		d, err := scan([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		personal[of] = len(d.texts(description)) > 0
		path := filepath.Join(dir, of+".xmp")
		if err := os.WriteFile(path, []byte(updated(t, data, sea, Embedded{})), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for of, tags := range shown(t, paths) {
		of = strings.TrimSuffix(of, ".xmp")
		if warning, _ := tags["ExifTool:Warning"].(string); warning != "" && !strings.HasPrefix(warning, "[minor]") {
			t.Errorf("%s: %v", of, warning)
		}
		if got := tags["XMP-dc:Description"]; (got == sea.Description) == personal[of] {
			t.Errorf("%s: description %q", of, got)
		}
		for tag, want := range map[string]any{"XMP-tiff:ImageDescription": sea.Description, "XMP-photoshop:CaptionWriter": "photodesc, smolvlm"} {
			if got := tags[tag]; (got == want) == personal[of] {
				t.Errorf("%s: %s is %q", of, tag, got)
			}
		}
		if got := tags["XMP-iptcCore:AltTextAccessibility"]; got != sea.AltText {
			t.Errorf("%s: alternative text %q", of, got)
		}
		for _, tag := range []string{"XMP-dc:Subject", "XMP-digiKam:TagsList"} {
			got := strings.ToLower(strings.Join(textsOf(tags[tag]), "\n"))
			if !strings.Contains(got, "dog") && of != "attributes" {
				t.Errorf("%s: %s is %q", of, tag, got)
			}
		}
	}

	// Immich and PhotoPrism ask for names without a namespace.
	out := string(exiftool(t, append([]string{"-s", "-Model", "-Description", "-Keywords", "-Language", "-Tags"}, paths...)...))
	if regexp.MustCompile(`(?m)^(Model|Keywords|Language|Tags) |smolvlm|: [0-9a-f]{16}$`).MatchString(out) {
		t.Errorf("a property of ours has the name of another:\n%s", out)
	}

	exiftool(t, append([]string{"-overwrite_original", "-XMP-xmp:Label=Red"}, paths...)...) // it writes the whole file anew
	for of, before := range files {
		data := []byte(read(t, dir, of+".xmp"))
		if again, err := Update(data, sea, Embedded{}); err != nil || string(again) != string(data) {
			t.Errorf("%s: %v, rewritten by exiftool it is changed again to %s", of, err, again)
		}
		rest, _, err := Remove(data)
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		for _, ours := range []string{"photodesc", "barks", sea.AltText, ">dog<"} {
			if strings.Contains(string(rest), ours) {
				t.Errorf("%s: %q is left in %s", of, ours, rest)
			}
		}
		was, is := get(t, before, subject), get(t, string(rest), subject)
		if strings.Join(was, "|") != strings.Join(is, "|") || !slices.Equal(get(t, before, tagsList), get(t, string(rest), tagsList)) {
			t.Errorf("%s: the keywords were %q, are %q; the tags %q, %q", of, was, is, get(t, before, tagsList), get(t, string(rest), tagsList))
		}
		if !strings.Contains(string(rest), "Red") {
			t.Errorf("%s: the label is lost", of)
		}
	}

	exiftool(t, append([]string{"-overwrite_original", "-XMP-dc:Description=By hand", "-XMP-dc:Subject-=dog"}, paths...)...)
	other := sea
	other.Description = "Another text of the model"
	for of := range files {
		out := updated(t, read(t, dir, of+".xmp"), other, Embedded{})
		if got := get(t, out, description); !slices.Equal(got, []string{"By hand"}) {
			t.Errorf("%s: %q, a person has written %q", of, got, "By hand")
		}
		for _, n := range []name{imageDescription, captionWriter} {
			if got := get(t, out, n); len(got) > 0 {
				t.Errorf("%s: beside a person's text there is %q", of, got)
			}
		}
		if got := get(t, out, subject); slices.Contains(got, "dog") && of != "attributes" { // where it could not be written
			t.Errorf("%s: a keyword that a person has taken out is back: %q", of, got)
		}
	}
}
