package ui

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// lineEncoder writes log lines in this format:
//
//	2025-11-23 14:32:15 - INFO - Progress: 5,400 / 31,841 (17.0%) - 26,441 remaining
type lineEncoder struct {
	zapcore.Encoder // for fields, which follow the sentence as JSON
}

var buffers = buffer.NewPool()

func newLineEncoder() zapcore.Encoder {
	return lineEncoder{zapcore.NewJSONEncoder(zapcore.EncoderConfig{SkipLineEnding: true, EncodeDuration: zapcore.StringDurationEncoder})}
}

func (e lineEncoder) Clone() zapcore.Encoder { return lineEncoder{e.Encoder.Clone()} }

func (e lineEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b := buffers.Get()
	b.AppendString(entry.Time.Format(time.DateTime))
	b.AppendString(" - ")
	b.AppendString(levelName(entry.Level))
	b.AppendString(" - ")
	// What follows the first line is indented, whatever a file name or a library put into it.
	b.AppendString(strings.ReplaceAll(strings.TrimRight(entry.Message, "\n"), "\n", "\n    "))
	rest, err := e.Encoder.EncodeEntry(zapcore.Entry{}, fields)
	if err != nil {
		return nil, err
	}
	if s := rest.String(); s != "{}" {
		b.AppendString(" ")
		b.AppendString(s)
	}
	rest.Free()
	b.AppendString("\n")
	return b, nil
}

func levelName(l zapcore.Level) string {
	if l == zapcore.WarnLevel {
		return "WARNING"
	}
	return l.CapitalString()
}

// NewLog returns two logs. Both write every level to the log file, and level INFO and
// above to the console. On a terminal the second, for details, writes only warnings to
// the console. Manner may change both.
func NewLog(file io.Writer, show *Progress) (log, detail *zap.Logger) {
	toFile := zapcore.NewCore(newLineEncoder(), zapcore.AddSync(file), zapcore.DebugLevel)
	encoder, usual, detailed := newLineEncoder(), zapcore.InfoLevel, zapcore.InfoLevel
	switch {
	case show.terminal:
		encoder, detailed = terminalEncoder{newLineEncoder(), show.out}, zapcore.WarnLevel
	case profile(show.out) > colorprofile.NoTTY:
		encoder = levelColors{encoder}
	}
	switch {
	case manner.Quiet:
		usual, detailed = zapcore.WarnLevel, zapcore.WarnLevel
	case manner.Verbose:
		usual, detailed = zapcore.DebugLevel, zapcore.DebugLevel
	}
	console := zapcore.Lock(zapcore.AddSync(show.console()))
	with := func(level zapcore.Level) *zap.Logger {
		return zap.New(zapcore.NewTee(toFile, zapcore.NewCore(encoder, console, level)))
	}
	return with(usual), with(detailed)
}

// terminalEncoder writes log lines for a person who sees them come: the time of
// day and the sentence, coloured by its level.
type terminalEncoder struct {
	zapcore.Encoder
	out *os.File
}

func (e terminalEncoder) Clone() zapcore.Encoder { return terminalEncoder{e.Encoder.Clone(), e.out} }

func (e terminalEncoder) EncodeEntry(entry zapcore.Entry, _ []zapcore.Field) (*buffer.Buffer, error) {
	b := buffers.Get()
	const indent = len(time.TimeOnly) + 2
	text := Wrap(strings.TrimRight(entry.Message, "\n"), max(TerminalWidth(e.out)-indent, 20), "")
	for i, line := range strings.Split(text, "\n") {
		margin := StyleFaint.Render(entry.Time.Format(time.TimeOnly))
		if i > 0 {
			margin = strings.Repeat(" ", len(time.TimeOnly))
		}
		b.AppendString(margin + "  " + levelStyle(entry.Level, line) + "\n")
	}
	return b, nil
}

func levelStyle(level zapcore.Level, line string) string {
	switch {
	case level >= zapcore.ErrorLevel:
		return styleBad.Render(line)
	case level == zapcore.WarnLevel:
		return styleWarn.Render(line)
	}
	return line
}

// levelColors colours the lines of an encoder by their levels.
type levelColors struct{ zapcore.Encoder }

func (e levelColors) Clone() zapcore.Encoder { return levelColors{e.Encoder.Clone()} }

func (e levelColors) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	plain, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil || entry.Level < zapcore.WarnLevel {
		return plain, err
	}
	defer plain.Free()
	b := buffers.Get()
	for line := range strings.Lines(plain.String()) {
		b.AppendString(levelStyle(entry.Level, strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b, nil
}
