package config

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"photodesc/internal/worker"

	"github.com/spf13/pflag"
)

// What --redo says of photos that were described with other settings.
const (
	RedoAsk     = "ask"
	RedoChanged = "changed"
	RedoNever   = "never"
)

// Wordless are settings that change no word of a description. All others do,
// a new flag until it is named here.
var Wordless = []string{
	"batch-size", "cooldown", "memory", "workers", "parallel", "threads", "nice", "timeout", "max-temp", "keep-awake",
	"redo", "untrusted-loaders", "keep-raw", "exclude", "include", "newest-first",
}

// Always are in the settings of every run; others only when they are not as
// they are by default, so that a flag to come changes nothing for those who do
// not use it.
var Always = []string{"prompt", "detail", "max-tokens", "temperature", "repeat-penalty"}

// FlagText is a flag's value as one text.
func FlagText(f *pflag.Flag) string {
	list, many := f.Value.(pflag.SliceValue)
	if !many {
		return f.Value.String()
	}
	return worker.OneText(list.GetSlice())
}

// FileSum is the digest of a file that a flag names.
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
