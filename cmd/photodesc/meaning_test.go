package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/tracker"
)

// The meaning tests: pictures drawn by ImageMagick, which the built-in model's
// trainer never used, described by the whole program. A description is right
// when it names the object's shape, its colour and its place.

// drawing is a picture of one object, in fractions of the picture.
type drawing struct {
	width, height  int
	shape          string
	colour, ground string
	row, col       int     // 0 1 2: top middle bottom, left middle right
	extent         float64 // of the object, as a share of the short side
}

// What ImageMagick is told for each colour name, several shades for some.
var paints = map[string][]string{
	"red": {"#ff0000", "#d01818"}, "green": {"#008000", "#20a020"}, "blue": {"#0000ff", "#1830c0"},
	"yellow": {"#ffff00", "#f0e010"}, "orange": {"#ff8c00", "#ff7800"}, "purple": {"#800080", "#7020a0"},
	"pink": {"#ffc0cb", "#ff80b0"}, "brown": {"#8b4513", "#7a4a20"}, "black": {"#000000", "#101010"},
	"white": {"#ffffff", "#fafafa"}, "grey": {"#808080", "#8c8c8c"}, "cyan": {"#00ffff", "#10e0e8"},
}

var (
	paintNames = []string{"red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "black", "white", "grey", "cyan"}
	greyNames  = []string{"black", "white", "grey"}
	shapeNames = []string{"circle", "square", "triangle", "star", "ring", "cross"}
	// Grounds that stand apart from a colour: light for dark ones and dark for light ones.
	groundsFor = map[string][]string{
		"red": {"white", "black", "grey"}, "green": {"white", "black", "yellow"}, "blue": {"white", "yellow", "grey"},
		"yellow": {"black", "blue", "grey"}, "orange": {"white", "black", "blue"}, "purple": {"white", "yellow", "grey"},
		"pink": {"black", "green", "blue"}, "brown": {"white", "yellow", "cyan"}, "black": {"white", "yellow", "grey"},
		"white": {"black", "blue", "grey"}, "grey": {"white", "black", "yellow"}, "cyan": {"black", "red", "brown"},
	}
	placeWords = [3][3]string{
		{"at the top left", "at the top", "at the top right"},
		{"on the left", "in the centre", "on the right"},
		{"at the bottom left", "at the bottom", "at the bottom right"},
	}
)

// draws makes n drawings, each shape and colour equally often.
func draws(seed uint64, n, width, height int, colours []string) (list []drawing) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		d := drawing{width: width, height: height, shape: shapeNames[i%len(shapeNames)], colour: colours[(i/2)%len(colours)]}
		grounds := groundsFor[d.colour]
		if len(colours) == len(greyNames) {
			grounds = without(greyNames, d.colour)
		}
		d.ground = grounds[rng.IntN(len(grounds))]
		d.row, d.col = rng.IntN(3), rng.IntN(3)
		d.extent = 0.34 + 0.1*rng.Float64()
		list = append(list, d)
	}
	return list
}

func without(list []string, drop string) (out []string) {
	for _, s := range list {
		if s != drop {
			out = append(out, s)
		}
	}
	return out
}

// commands are ImageMagick's drawing commands.
func (d drawing) commands() string {
	short := float64(min(d.width, d.height))
	r := d.extent * short / 2
	middle := [3]float64{0.22, 0.5, 0.78}
	// On a long side an outer place is well outside the middle, too.
	x, y := middle[d.col]*float64(d.width), middle[d.row]*float64(d.height)
	polygon := func(points ...float64) string {
		var b strings.Builder
		b.WriteString("polygon")
		for i := 0; i < len(points); i += 2 {
			fmt.Fprintf(&b, " %.1f,%.1f", x+r*points[i], y+r*points[i+1])
		}
		return b.String()
	}
	switch d.shape {
	case "circle":
		return fmt.Sprintf("circle %.1f,%.1f %.1f,%.1f", x, y, x+r, y)
	case "square":
		return fmt.Sprintf("rectangle %.1f,%.1f %.1f,%.1f", x-0.88*r, y-0.88*r, x+0.88*r, y+0.88*r)
	case "triangle":
		return polygon(0, -0.95, 0.95, 0.85, -0.95, 0.85)
	case "star":
		var p []float64
		for i := range 10 {
			s := 1.0
			if i%2 == 1 {
				s = 0.42
			}
			a := math.Pi * float64(i) / 5
			p = append(p, s*math.Sin(a), -s*math.Cos(a))
		}
		return polygon(p...)
	case "cross":
		const t, s = 0.3, 0.95
		return polygon(-t, -s, t, -s, t, -t, s, -t, s, t, t, t, t, s, -t, s, -t, t, -s, t, -s, -t, -t, -t)
	}
	// A ring is a stroke along a circle.
	return fmt.Sprintf("stroke-width %.1f fill none stroke %s circle %.1f,%.1f %.1f,%.1f", 0.38*r, "INK", x, y, x+0.8*r, y)
}

// right tells whether a description names the object's shape, colour and place.
func (d drawing) right(text string) bool {
	text = strings.ToLower(text)
	object, _, _ := strings.Cut(text, "background")
	want := d.colour + " " + d.shape + " " + placeWords[d.row][d.col]
	at := strings.Index(object, want)
	if at < 0 {
		return false
	}
	// "at the top" is not "at the top left".
	rest := strings.TrimSpace(object[at+len(want):])
	return !strings.HasPrefix(rest, "left") && !strings.HasPrefix(rest, "right")
}

// variant is a way of storing a picture.
type variant struct {
	name          string
	n, least      int // pictures, and how many of them must be right
	width, height int
	colours       []string
	args          []string // for ImageMagick, after drawing
	ext           string   // with a format prefix such as PNG48: where wanted
	clear         bool     // nothing behind the object
	turned        bool     // stored turned, upright by EXIF
}

var variants = []variant{
	{name: "plain", n: 100, least: 95, width: 400, height: 300, colours: paintNames, ext: "png"},
	{name: "jpeg", n: 100, least: 95, width: 512, height: 384, colours: paintNames, args: []string{"-quality", "85"}, ext: "jpg"},
	{name: "large", n: 100, least: 95, width: 2000, height: 1400, colours: paintNames, args: []string{"-quality", "90"}, ext: "jpg"},
	{name: "tall", n: 100, least: 95, width: 200, height: 900, colours: paintNames, ext: "png"},
	{name: "webp", n: 100, least: 95, width: 480, height: 360, colours: paintNames, ext: "webp"},
	{name: "16-bit", n: 100, least: 95, width: 320, height: 320, colours: paintNames, args: []string{"-depth", "16"}, ext: "PNG48:png"},
	{name: "exif", n: 100, least: 95, width: 400, height: 300, colours: paintNames, args: []string{"-rotate", "-90", "-quality", "92"}, ext: "jpg", turned: true},
	{name: "cmyk", n: 100, least: 95, width: 400, height: 300, colours: paintNames, args: []string{"-colorspace", "CMYK", "-quality", "92"}, ext: "jpg"},
	{name: "alpha", n: 100, least: 95, width: 400, height: 300, colours: without(without(paintNames, "white"), "yellow"), ext: "PNG32:png", clear: true},
	{name: "grey", n: 100, least: 95, width: 400, height: 300, colours: greyNames, args: []string{"-colorspace", "Gray"}, ext: "png"},
}

func TestMeaning(t *testing.T) {
	magick := imageMagick(t)
	for i, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			photos, work := t.TempDir(), t.TempDir()
			list := draws(uint64(i+1), v.n, v.width, v.height, v.colours)
			for k := range list {
				if v.turned {
					// Somewhere else than where a picture left unturned would have it.
					list[k].row, list[k].col = 0, 2*(k%2)
				}
				if v.clear {
					list[k].ground = "white"
				}
			}
			want := v.paint(t, magick, photos, list)
			var out bytes.Buffer
			cmd := program(t, "-C", work, "run", "--model", "builtin", photos)
			cmd.Stderr = &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			good := 0
			for path, rec := range records(t, work) {
				if d := want[path]; d.right(rec.Description) {
					good++
				} else {
					t.Logf("%s %s %s on %s: %q", d.colour, d.shape, placeWords[d.row][d.col], d.ground, rec.Description)
				}
			}
			t.Logf("%d of %d right", good, v.n)
			if good < v.least {
				t.Errorf("%d of %d right, want at least %d", good, v.n, v.least)
			}
		})
	}
}

// paint draws pictures into dir, all by one process, and returns them by name.
func (v variant) paint(t *testing.T, magick []string, dir string, list []drawing) map[string]drawing {
	format, ext, found := strings.Cut(v.ext, ":")
	if !found {
		format, ext = "", v.ext
	} else {
		format += ":"
	}
	byName := map[string]drawing{}
	args := append(magick[1:len(magick):len(magick)], "-respect-parentheses")
	for k, d := range list {
		if k > 0 {
			args = append(args, "-delete", "0--1")
		}
		shade := func(name string) string { s := paints[name]; return s[k%len(s)] }
		ground, ink := "xc:"+shade(d.ground), shade(d.colour)
		if v.clear {
			ground = "xc:none"
		}
		name := fmt.Sprintf("%03d.%s", k, ext)
		args = append(args, "(", "-size", fmt.Sprintf("%dx%d", d.width, d.height), ground, "-fill", ink)
		args = append(args, "-draw", strings.ReplaceAll(d.commands(), "INK", `"`+ink+`"`))
		args = append(args, v.args...)
		args = append(args, "-write", format+filepath.Join(dir, name), ")")
		byName[name] = d
	}
	if out, err := exec.Command(magick[0], append(args, "null:")...).CombinedOutput(); err != nil {
		t.Fatalf("ImageMagick: %v\n%s", err, out)
	}
	if v.turned {
		for name := range byName {
			turnByEXIF(t, filepath.Join(dir, name), 6)
		}
	}
	return byName
}

// turnByEXIF gives a JPEG file an EXIF orientation.
func turnByEXIF(t *testing.T, path string, orientation uint16) {
	b, err := os.ReadFile(path)
	if err != nil || len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 {
		t.Fatalf("%s is no JPEG (%v)", path, err)
	}
	var tiff bytes.Buffer
	tiff.WriteString("Exif\x00\x00MM\x00*")
	for _, v := range []any{uint32(8), uint16(1), uint16(0x112), uint16(3), uint32(1), orientation, uint16(0), uint32(0)} {
		binary.Write(&tiff, binary.BigEndian, v)
	}
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((tiff.Len()+2)>>8), byte(tiff.Len()+2))
	out = append(append(out, tiff.Bytes()...), b[2:]...)
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// imageMagick finds ImageMagick's drawing command; programs of other origin
// that are called convert do not count.
func imageMagick(t *testing.T) []string {
	for _, c := range [][]string{{"magick"}, {"convert-im6.q16"}, {"convert"}} {
		out, err := exec.Command(c[0], "-version").Output()
		if err == nil && bytes.Contains(out, []byte("ImageMagick")) {
			return c
		}
	}
	t.Fatal("ImageMagick is not installed; `make setup` installs what the tests need")
	return nil
}

// program is this test binary as photodesc.
func program(t *testing.T, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Args[0] = "photodesc"
	return cmd
}

// records reads the results of a workdir by path.
func records(t *testing.T, work string) map[string]tracker.Record {
	files, err := filepath.Glob(filepath.Join(work, "outputs", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]tracker.Record{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var rec tracker.Record
			if err := json.Unmarshal(line, &rec); err != nil {
				t.Fatal(err)
			}
			out[rec.Path] = rec
		}
	}
	return out
}
