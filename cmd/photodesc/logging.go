package main

import (
	"io"
	"os"
	"strings"
	"time"

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
	// One entry is one line, whatever a file name or a library put into it.
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

// newLog writes to the log file at every level, and to console (nil for none)
// from INFO on.
func newLog(file *os.File, console io.Writer) *zap.Logger {
	cores := []zapcore.Core{zapcore.NewCore(newLineEncoder(), zapcore.AddSync(file), zapcore.DebugLevel)}
	if console != nil {
		cores = append(cores, zapcore.NewCore(newLineEncoder(), zapcore.Lock(zapcore.AddSync(console)), zapcore.InfoLevel))
	}
	return zap.New(zapcore.NewTee(cores...))
}
