package llm

import (
	"errors"
	"fmt"
)

// Picture is an upright photo: Pix holds Width×Height pixels, R G B
// interleaved, 8 bit, sRGB. OrigWidth and OrigHeight are the size before any
// shrinking on load; the tile plan follows them. Zero means the same.
type Picture struct {
	Width, Height         int
	Pix                   []byte
	OrigWidth, OrigHeight int
	// Context is text about the photo that goes before each question; see
	// Options.Context.
	Context string
}

func (p Picture) size() (w, h int) {
	if p.OrigWidth > 0 && p.OrigHeight > 0 {
		return p.OrigWidth, p.OrigHeight
	}
	return p.Width, p.Height
}

func (p Picture) check() error {
	if p.Width < 1 || p.Height < 1 {
		return errors.New("picture has no pixels")
	}
	if len(p.Pix) != p.Width*p.Height*3 {
		return fmt.Errorf("picture of %d×%d has %d bytes, want %d", p.Width, p.Height, len(p.Pix), p.Width*p.Height*3)
	}
	return nil
}

// Tiles resamples the picture along the plan and returns its tiles, each
// tile×tile pixels (R G B, 8 bit): the grid row by row, then the whole picture.
func (p Picture) Tiles(g Grid, tile int) [][]byte {
	// The reference resamples twice on purpose: to the longest edge, then to
	// multiples of the tile. The pixels differ if it is done in one go.
	pix := resize(p.Pix, p.Width, p.Height, g.FitW, g.FitH)
	pix = resize(pix, g.FitW, g.FitH, g.FullW, g.FullH)
	tiles := make([][]byte, 0, g.Tiles())
	for r := range g.Rows {
		for c := range g.Cols {
			t := make([]byte, 0, tile*tile*3)
			for y := range tile {
				at := ((r*tile+y)*g.FullW + c*tile) * 3
				t = append(t, pix[at:at+tile*3]...)
			}
			tiles = append(tiles, t)
		}
	}
	return append(tiles, resize(pix, g.FullW, g.FullH, tile, tile))
}

// normalised maps the 8-bit values of one colour to the encoder's input: (v/255 - mean) / std.
func normalised(mean, std float32) (levels [256]float32) {
	for v := range levels {
		levels[v] = (float32(v)/255 - mean) / std
	}
	return levels
}

// toPlanes writes pixels (R G B, 8 bit) as the encoder takes them: all of red, then green, then blue.
func toPlanes(planes []float32, pix []byte, levels *[3][256]float32) {
	n := len(planes) / 3
	red, green, blue := planes[:n], planes[n:2*n], planes[2*n:3*n]
	for i := range red {
		p := pix[3*i : 3*i+3 : 3*i+3]
		red[i] = levels[0][p[0]]
		green[i] = levels[1][p[1]]
		blue[i] = levels[2][p[2]]
	}
}
