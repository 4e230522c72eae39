package ui

import (
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// lineEncoder writes log lines as people know them from the guide:
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

// NewLog gives two logs that write to the log file at every level. To the
// person at the console they say what is of level INFO at least; on a terminal
// the second, for details, says warnings only.
func NewLog(file *os.File, show *Progress) (log, detail *zap.Logger) {
	toFile := zapcore.NewCore(newLineEncoder(), zapcore.AddSync(file), zapcore.DebugLevel)
	encoder, least := newLineEncoder(), zapcore.InfoLevel
	if show.terminal {
		encoder, least = terminalEncoder{newLineEncoder(), show.out}, zapcore.WarnLevel
	}
	console := zapcore.Lock(zapcore.AddSync(show.console()))
	with := func(level zapcore.Level) *zap.Logger {
		return zap.New(zapcore.NewTee(toFile, zapcore.NewCore(encoder, console, level)))
	}
	return with(zapcore.InfoLevel), with(least)
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
	text := ansi.Wrap(strings.TrimRight(entry.Message, "\n"), max(TerminalWidth(e.out)-indent, 20), " ")
	for i, line := range strings.Split(text, "\n") {
		margin := StyleFaint.Render(entry.Time.Format(time.TimeOnly))
		if i > 0 {
			margin = strings.Repeat(" ", len(time.TimeOnly))
		}
		switch {
		case entry.Level >= zapcore.ErrorLevel:
			line = styleBad.Render(line)
		case entry.Level == zapcore.WarnLevel:
			line = styleWarn.Render(line)
		}
		b.AppendString(margin + "  " + line + "\n")
	}
	return b, nil
}
