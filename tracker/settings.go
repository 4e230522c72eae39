package tracker

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// Setting is one of the settings of a run that change its descriptions.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`           // equal values make equal words
	Shown string `json:"shown,omitempty"` // what people call it, where Value is a digest

	// Unknown: there is no Value yet; what is shown stands for it.
	Unknown bool `json:"-"`
}

// Settings are those of one run, each name once. A result line carries their
// [Settings.ID]; the file settings_ID.json beside the outputs has them whole.
type Settings []Setting

const (
	settingsPrefix = "settings_"
	settingsSuffix = ".json"
	idLen          = 12 // hexadecimal digits
	// maxSettings bounds the file of settings; a real one has a few hundred bytes.
	maxSettings = 1 << 20
)

// ID is a digest of names and values, as hexadecimal digits. It does not depend on
// the order, nor on what is shown.
func (s Settings) ID() string {
	sorted := slices.SortedFunc(slices.Values(s), func(a, b Setting) int { return cmp.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, x := range sorted {
		fmt.Fprintf(h, "%d %s %d %s\n", len(x.Name), x.Name, len(x.Value), x.Value)
	}
	return hex.EncodeToString(h.Sum(nil))[:idLen]
}

func (s Settings) find(name string) (Setting, bool) {
	i := slices.IndexFunc(s, func(x Setting) bool { return x.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return s[i], true
}

func (s Settings) known() bool {
	return !slices.ContainsFunc(s, func(x Setting) bool { return x.Unknown })
}

// Difference is a setting with different values in two runs, as shown to people. A
// value is "" in the run that does not have the setting.
type Difference struct{ Name, From, To string }

// Differences are those on the way from old to s, in the order of s.
func (s Settings) Differences(old Settings) (list []Difference) {
	for _, x := range s {
		o, had := old.find(x.Name)
		switch {
		case had && !x.differs(o):
		case !had:
			list = append(list, Difference{x.Name, "", x.text()})
		case o.text() == x.text(): // the same name for something else
			list = append(list, Difference{x.Name, o.long(), x.long()})
		default:
			list = append(list, Difference{x.Name, o.text(), x.text()})
		}
	}
	for _, o := range old {
		if _, has := s.find(o.Name); !has {
			list = append(list, Difference{o.Name, o.text(), ""})
		}
	}
	return list
}

func (s Setting) differs(o Setting) bool {
	if s.Unknown || o.Unknown {
		return s.text() != o.text()
	}
	return s.Value != o.Value
}

func (s Setting) text() string { return cmp.Or(s.Shown, s.Value) }

func (s Setting) long() string { return fmt.Sprintf("%s (%.*s)", s.text(), idLen, s.Value) }

// settingsFile is the content of settings_ID.json.
type settingsFile struct {
	ID       string   `json:"id"`
	Settings Settings `json:"settings"`
}

func settingsPath(dir, id string) string {
	return filepath.Join(dir, OutputsName, settingsPrefix+id+settingsSuffix)
}

// save writes the file of the settings, unless it is there already.
func (s Settings) save(fs filesystem, dir string) error {
	id := s.ID()
	if _, err := readSettings(dir, id); err == nil {
		return nil
	}
	path := settingsPath(dir, id)
	data, err := json.MarshalIndent(settingsFile{id, s}, "", " ")
	if err == nil {
		err = durable.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err == nil {
		err = fs.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return &WriteError{Op: "write to", Path: path, Err: err}
	}
	return nil
}

// readSettings reads the file of an ID and checks that its settings have this ID.
func readSettings(dir, id string) (Settings, error) {
	if len(id) != idLen || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("%q is no ID of settings", id)
	}
	data, err := fsutil.ReadSmall(settingsPath(dir, id), maxSettings)
	if err != nil {
		return nil, err
	}
	return parseSettings(data, id)
}

func parseSettings(data []byte, id string) (Settings, error) {
	if len(data) > maxSettings {
		return nil, errors.New("too large")
	}
	var file settingsFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.ID != id || file.Settings.ID() != id {
		return nil, fmt.Errorf("these are not the settings %q", id)
	}
	return file.Settings, nil
}
