package ui

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// The values of --color.
const (
	ColorAuto   = "auto"
	ColorAlways = "always"
	ColorNever  = "never"
)

// Manner is how much a command prints, and in which colours.
type Manner struct {
	Color   string // one of the above; empty is ColorAuto
	Quiet   bool   // warnings and errors only, and what the command was asked for
	Verbose bool   // also what is of level DEBUG
}

// manner is the process's, set before a command begins.
var manner Manner

// SetManner sets the Manner of everything in this package.
func SetManner(m Manner) { manner = m }

// Quiet reports whether a command prints warnings and errors only.
func Quiet() bool { return manner.Quiet }

// Colors passes text on with as much colour as w can show and --color, NO_COLOR
// and CLICOLOR_FORCE allow; by default none where w is no terminal.
func Colors(w io.Writer) io.Writer {
	return &colorprofile.Writer{Forward: w, Profile: profile(w)}
}

// profile is how many colours text for w has: NoTTY is no style at all.
func profile(w io.Writer) colorprofile.Profile {
	env := colorEnvironment(os.Environ())
	switch manner.Color {
	case ColorNever:
		return colorprofile.NoTTY
	case ColorAlways:
		env = append(slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") }), "CLICOLOR_FORCE=1")
	}
	return colorprofile.Detect(w, env)
}

// colorEnvironment writes the variables about colour as colorprofile reads them:
// by their conventions any value sets them, and NO_COLOR overrides CLICOLOR_FORCE.
func colorEnvironment(environ []string) (env []string) {
	plain, forced := false, false
	for _, e := range environ {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "NO_COLOR":
			plain = value != ""
		case "CLICOLOR_FORCE":
			forced = value != "" && value != "0"
		default:
			env = append(env, e)
		}
	}
	switch {
	case plain:
		env = append(env, "NO_COLOR=1")
	case forced:
		env = append(env, "CLICOLOR_FORCE=1")
	}
	return env
}

// painter is Colors for output that also moves the cursor: without colours it takes
// away the styles and nothing else.
func painter(w io.Writer, forward io.Writer) io.Writer {
	p := profile(w)
	if p <= colorprofile.NoTTY {
		return plainPainter{forward}
	}
	return &colorprofile.Writer{Forward: forward, Profile: p}
}

type plainPainter struct{ w io.Writer }

func (p plainPainter) Write(b []byte) (int, error) {
	if _, err := p.w.Write(withoutStyles(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// withoutStyles takes the sequences away that set a style (SGR).
func withoutStyles(b []byte) []byte {
	var out []byte
	var state byte
	parser := ansi.GetParser()
	defer ansi.PutParser(parser)
	for rest := b; len(rest) > 0; {
		parser.Reset()
		seq, _, n, next := ansi.DecodeSequence(rest, state, parser)
		if !ansi.HasCsiPrefix(seq) || parser.Command() != 'm' {
			out = append(out, seq...)
		}
		rest, state = rest[n:], next
	}
	return out
}
