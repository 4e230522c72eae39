package config

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"time"

	"photodesc/internal/worker"

	"github.com/spf13/pflag"
)

// The values of --redo, for photos that were described with other settings.
const (
	RedoAsk     = "ask"
	RedoChanged = "changed"
	RedoNever   = "never"
)

// The values of --on-battery.
const (
	BatteryRun   = "run"
	BatteryPause = "pause"
)

// The values of --duplicates, for photos with the same picture as another.
const (
	DuplicatesShare    = "share"
	DuplicatesDescribe = "describe"
)

// The bounds of --rescan.
const (
	MinRescan = 100 * time.Millisecond
	MaxRescan = 24 * time.Hour
)

// NonSemantic are settings that do not change the text of a description. All other
// flags count as changing it.
var NonSemantic = []string{
	"model-unchecked", "batch-size", "cooldown", "memory", "workers", "parallel", "threads", "nice", "timeout", "max-temp", "keep-awake", "on-battery", "watch", "rescan", "settle",
	"redo", "duplicates", "untrusted-loaders", "keep-raw", "exclude", "include", "newest-first", "shard", "xmp", "sidecar-name", "on-finish", "s3-endpoint", "s3-region", "spool",
	"serve", "serve-addr", "no-local", "nats", "nats-context", "nats-creds", "nats-ca", "nats-cert", "nats-key", "metrics",
}

// AlwaysRecorded are in the recorded settings of every run. Others are recorded only
// if they differ from their default, so that a new flag does not change the settings
// of runs that do not use it.
var AlwaysRecorded = []string{"prompt", "detail", "max-tokens", "temperature", "repeat-penalty"}

// FlagText returns a flag's value as one text.
func FlagText(f *pflag.Flag) string {
	list, many := f.Value.(pflag.SliceValue)
	if !many {
		return f.Value.String()
	}
	return worker.OneText(list.GetSlice())
}

// FileSum returns 32 hexadecimal digits of the SHA-256 of the file at path.
func FileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}
