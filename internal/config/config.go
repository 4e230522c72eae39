// Package config reads the settings of a run from flags, environment variables and
// photodesc.toml files, and knows which of them each value comes from.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"photodesc/internal/fsutil"
	"photodesc/internal/models"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
)

// The keys of files and the names of variables are derived from the flags, so a new
// flag is a setting at once.

// level is the kind of source of a setting. A higher level overrides a lower one.
type level int

const (
	fromDefault level = iota
	fromUser
	fromWorkdir
	fromLastRun
	fromEnvironment
	fromFlag
)

var levelNames = []string{"default", "user", "workdir", "last run", "environment", "flag"}

// Source is the place that a setting comes from.
type Source struct {
	level level
	Place string // "photodesc.toml:3", "PHOTODESC_DETAIL", "--detail"
}

// configFile is a file of settings that may not exist.
type configFile struct {
	path     string
	found    bool
	settings int
}

// Config is where the settings of a set of flags come from.
type Config struct {
	flags   *pflag.FlagSet
	files   []configFile      // later ones override earlier ones
	Sources map[string]Source // by flag; a setting with its default has none
}

// sourcedValue is a value from a file or a variable.
type sourcedValue struct {
	Source
	values []string
	list   bool   // it is written as a list
	base   string // folder that names of files are relative to; "" is the current one
}

const variablePrefix = "PHOTODESC_"

// BackgroundEnv is set for a run in the background. It reports on descriptor 3 to
// the process in the foreground that has started it.
const BackgroundEnv = "PHOTODESC_BACKGROUND"

// RunVariablePrefix begins the variables that tell the command of --on-finish how the run went.
const RunVariablePrefix = variablePrefix + "RUN_"

// ownVariables are variables of the program and its tests that are not settings.
var ownVariables = []string{
	"PHOTODESC_MODELS", "PHOTODESC_NODE", worker.ConfigEnv, BackgroundEnv, "PHOTODESC_POOL_WORKER", "PHOTODESC_KERNELS", "PHOTODESC_BACKENDS", "PHOTODESC_SOAK", "PHOTODESC_PHOTOS",
}

// commandLineOnly are flags that are not settings.
var commandLineOnly = append([]string{"help", "version", "example", "no-config"}, OneRunFlags...)

// FileFlags are flags whose values name files. In a file of settings these names
// are relative to its folder.
var FileFlags = []string{"mmproj", "prompt-file", "keywords", "nats-creds", "nats-ca", "nats-cert", "nats-key"}

// replaces maps a flag to those whose values from lower levels it makes invalid.
// For example, another model does not work with the old one's vision file.
var replaces = map[string][]string{
	"model":       {"mmproj"},
	"prompt":      {"prompt-file"},
	"prompt-file": {"prompt"},
}

func isSetting(f *pflag.Flag) bool { return !slices.Contains(commandLineOnly, f.Name) }

// SettingFlags returns the flags that are settings, in the order of the help.
func SettingFlags(set *pflag.FlagSet) (list []*pflag.Flag) {
	set.VisitAll(func(f *pflag.Flag) {
		if isSetting(f) {
			list = append(list, f)
		}
	})
	return list
}

func variable(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// userConfig returns the path of the user's file of settings, or "" if the user has
// no configuration folder.
func userConfig() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "photodesc", configName)
}

// Configure sets the flags that are not on the command line from variables and
// files, and checks all of them.
func (f *Flags) Configure(workdir string, set *pflag.FlagSet) (*Config, Settings, error) {
	c := &Config{flags: set, Sources: map[string]Source{}}
	chosen := map[string]sourcedValue{}
	if _, off := f.last["no-config"]; off && !set.Changed("no-config") {
		if err := set.Set("no-config", "true"); err != nil {
			return nil, Settings{}, err
		}
	}
	delete(f.last, "no-config")
	if f.noConfig {
		override(chosen, f.last)
	} else {
		var err error
		if chosen, err = c.gather(workdir, f.last); err != nil {
			return nil, Settings{}, &ui.Exit{Code: ui.ExitUsage, Err: err}
		}
	}
	var onLine []string
	set.Visit(func(f *pflag.Flag) { onLine = append(onLine, f.Name) })
	for _, name := range onLine {
		c.Sources[name] = Source{fromFlag, "--" + name}
		delete(chosen, name)
		for _, other := range replaces[name] {
			delete(chosen, other)
		}
	}
	for name, g := range chosen {
		if err := setFlag(set.Lookup(name), g); err != nil {
			return nil, Settings{}, ui.UsageError("%s: %w", g.Place, err)
		}
		c.Sources[name] = g.Source
	}
	s, err := f.Check()
	if err != nil {
		return nil, s, withPlace(err, chosen)
	}
	return c, s, nil
}

// gather returns the values from files, the last run and variables. Higher levels
// override lower ones.
func (c *Config) gather(workdir string, last map[string]sourcedValue) (map[string]sourcedValue, error) {
	chosen := map[string]sourcedValue{}
	for _, at := range []struct {
		level level
		path  string
	}{{fromUser, userConfig()}, {fromWorkdir, filepath.Join(workdir, configName)}} {
		if at.path == "" {
			continue
		}
		here, err := c.file(at.level, at.path)
		if err != nil {
			return nil, err
		}
		override(chosen, here)
	}
	override(chosen, last)
	here, err := c.variables(os.Environ())
	if err != nil {
		return nil, err
	}
	override(chosen, here)
	return chosen, nil
}

func override(chosen, higher map[string]sourcedValue) {
	for name := range higher {
		for _, other := range replaces[name] {
			delete(chosen, other)
		}
	}
	for name, g := range higher {
		chosen[name] = g
	}
}

// file reads a file of settings, which may be missing.
func (c *Config) file(l level, path string) (map[string]sourcedValue, error) {
	data, err := fsutil.ReadSmall(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		c.files = append(c.files, configFile{path: path})
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the settings cannot be read: %w\n  --no-config runs without them", err)
	}
	entries, err := parseConfig(data)
	var atLine *lineError
	if errors.As(err, &atLine) {
		return nil, fmt.Errorf("%s:%d: %w", path, atLine.line, err)
	}
	here := map[string]sourcedValue{}
	for _, e := range entries {
		place := fmt.Sprintf("%s:%d", path, e.line)
		if err := c.checkKey(e.key); err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		here[e.key] = sourcedValue{Source{l, place}, e.values, e.list, filepath.Dir(path)}
	}
	c.files = append(c.files, configFile{path, true, len(here)})
	return here, nil
}

// checkKey returns an error if a key is not a setting, with the nearest one that is.
func (c *Config) checkKey(key string) error {
	flag := c.flags.Lookup(key)
	if flag != nil && isSetting(flag) {
		return nil
	}
	if flag != nil && key != "help" {
		return fmt.Errorf("%s belongs to one run and is no setting\n  give --%s on the command line", key, key)
	}
	var keys []string
	for _, f := range SettingFlags(c.flags) {
		keys = append(keys, f.Name)
	}
	hint := ""
	asFlag := strings.ReplaceAll(strings.ToLower(key), "_", "-")
	if near := wording.Nearest(asFlag, keys, max(3, len(asFlag)/2)); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("there is no setting %q%s\n  `photodesc config` lists the settings", key, hint)
}

// variables reads environment variables such as PHOTODESC_DETAIL. Empty ones are
// ignored. A name that is nearly that of a setting is an error, since it would
// otherwise have no effect.
func (c *Config) variables(environ []string) (map[string]sourcedValue, error) {
	keys := map[string]string{}
	var names []string
	for _, f := range SettingFlags(c.flags) {
		keys[variable(f.Name)] = f.Name
		names = append(names, variable(f.Name))
	}
	here := map[string]sourcedValue{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(ownVariables, name) || strings.HasPrefix(name, RunVariablePrefix) {
			continue
		}
		key, known := keys[name]
		if !known {
			if flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, variablePrefix), "_", "-")); c.flags.Lookup(flag) != nil {
				return nil, fmt.Errorf("the variable %s: %w", name, c.checkKey(flag))
			}
			if near := wording.Nearest(name, names, 2); near != "" {
				return nil, fmt.Errorf("the variable %s is no setting; did you mean %s?\n  `photodesc config` lists the settings", name, near)
			}
			continue // a variable of another program
		}
		g := sourcedValue{Source: Source{fromEnvironment, name}, values: []string{value}}
		if _, many := c.flags.Lookup(key).Value.(pflag.SliceValue); many && strings.HasPrefix(value, "[") {
			entries, err := parseConfig([]byte("list = " + value))
			if err != nil || len(entries) != 1 {
				return nil, fmt.Errorf("%s: %q is neither one value nor a list such as [\"one\", \"two\"]", name, value)
			}
			g.values = entries[0].values
		}
		here[key] = g
	}
	return here, nil
}

// setFlag sets a flag from a variable, the last run or a file. A value that is not
// from a file counts as one of the command line, because the process that continues
// the run reads only the files again.
func setFlag(f *pflag.Flag, g sourcedValue) error {
	values := slices.Clone(g.values)
	for i, v := range values {
		values[i] = filesAbsolute(f.Name, v, g.base)
	}
	f.Changed = g.level >= fromLastRun
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[givenNote] = []string{g.Place}
	if list, many := f.Value.(pflag.SliceValue); many {
		return list.Replace(values)
	}
	if g.list {
		return fmt.Errorf("%s has one value, not a list", f.Name)
	}
	if f.Value.Set(values[0]) != nil {
		return fmt.Errorf("%s: %q is not %s", f.Name, values[0], Wanted(f))
	}
	return nil
}

// givenNote marks a flag that has its value from a variable or a file.
const givenNote = "given"

// IsGiven reports whether a flag was set, even if to its default.
func IsGiven(f *pflag.Flag) bool { return f.Changed || f.Annotations[givenNote] != nil }

// filesAbsolute resolves the name of a file relative to base; "~/" is the home folder.
func filesAbsolute(flag, value, base string) string {
	if base == "" || value == "" || !slices.Contains(FileFlags, flag) && flag != "model" {
		return value
	}
	path := value
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	} else if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	if flag == "model" && !models.IsFile(path) {
		return value // the name of a model
	}
	return path
}

// Wanted describes the values that a flag takes.
func Wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "uint32":
		return "a whole number from 0 to 4294967295"
	case "float64":
		return "a number"
	case "duration":
		return "a time such as 90s or 5m"
	}
	return "what --" + f.Name + " takes"
}

// withPlace returns err with the file or variable that the invalid value comes
// from. It returns err as it is if each value is valid by itself.
func withPlace(err error, chosen map[string]sourcedValue) error {
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		var single Flags
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		single.Register(set)
		if setFlag(set.Lookup(name), chosen[name]) != nil {
			continue
		}
		if _, invalid := single.Check(); invalid != nil {
			return ui.UsageError("%s: %s", chosen[name].Place, strings.ReplaceAll(invalid.Error(), "--"+name, name))
		}
	}
	return err
}
