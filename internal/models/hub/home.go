package hub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Home is the folder of the hub's own tools: HF_HOME, or huggingface in the user's
// .cache folder. It is empty where there is no home folder.
func Home() string {
	if home := os.Getenv("HF_HOME"); home != "" {
		return Expand(home)
	}
	if base := DotCache(); base != "" {
		return filepath.Join(base, "huggingface")
	}
	return ""
}

// DotCache is ~/.cache, which the hub's tools use on every system.
func DotCache() string {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".cache")
}

// Expand replaces variables and ~ in a folder's name, as the hub's tools do.
func Expand(dir string) string {
	dir = os.ExpandEnv(dir)
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return dir
}

// longestToken is more than any token has, in bytes.
const longestToken = 4 << 10

// findToken returns the token for a hub and where it is from: HF_TOKEN, or the file
// that `hf auth login` has written. The file's token is for the hub itself: a mirror
// that HF_ENDPOINT names does not get it. Variables are those of huggingface_hub.
func findToken(host string) (token, from string) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} { // the latter is the older name
		if token := strings.TrimSpace(os.Getenv(name)); token != "" {
			return token, name
		}
	}
	if !strings.EqualFold(host, defaultHost) || isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		return "", ""
	}
	path := Expand(os.Getenv("HF_TOKEN_PATH"))
	if path == "" {
		path = Home()
		if path == "" {
			return "", ""
		}
		path = filepath.Join(path, "token")
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > longestToken {
		return "", ""
	}
	b, err := os.ReadFile(path)
	token = strings.TrimSpace(string(b))
	if err != nil || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", "" // no header can hold it
	}
	return token, fmt.Sprintf("the token in %q", path)
}

// isSet tells whether a variable is set to one of the words for yes.
func isSet(name string) bool {
	switch strings.ToUpper(os.Getenv(name)) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
