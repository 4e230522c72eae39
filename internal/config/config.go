// Package config holds the settings of a run: its flags, the variables and
// photodesc.toml files that set them, and where each value comes from.
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

// Settings of a run come from its flags, then from variables, then from the
// file in the workdir, then from the file of the user. The keys of files and
// the names of variables are those of the flags, whatever flags there are.

// level is where a setting comes from; a higher one counts before a lower one.
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

// Source is where a setting comes from, exactly.
type Source struct {
	level level
	Place string // "photodesc.toml:3", "PHOTODESC_DETAIL", "--detail"
}

// configFile is a file that was looked for.
type configFile struct {
	path     string
	found    bool
	settings int
}

// Config says where each setting of a set of flags comes from.
type Config struct {
	flags   *pflag.FlagSet
	files   []configFile // the later ones count more
	Sources map[string]Source
}

// given is a value from a file or a variable.
type given struct {
	Source
	values []string
	list   bool
	base   string // folder that names of files are relative to; "" is the current one
}

const variablePrefix = "PHOTODESC_"

// BackgroundEnv says to a run that it is the one in the background, and that
// descriptor 3 is where the one in the foreground waits for a word.
const BackgroundEnv = "PHOTODESC_BACKGROUND"

// ownVariables are not settings: where models are, and what the program and
// its tests say to themselves.
var ownVariables = []string{
	"PHOTODESC_MODELS", worker.JobEnv, BackgroundEnv, "PHOTODESC_POOL_WORKER", "PHOTODESC_KERNELS", "PHOTODESC_BACKENDS", "PHOTODESC_SOAK", "PHOTODESC_PHOTOS",
}

// commandLineOnly are flags of one command; they are no settings.
var commandLineOnly = append([]string{"help", "version", "example", "no-config"}, Passing...)

// FileFlags name files, which a file of settings gives relative to itself.
var FileFlags = []string{"mmproj", "prompt-file", "keywords"}

// replaces says which flags a flag puts out of force that come from lower
// levels: another model does not go with the old one's vision file.
var replaces = map[string][]string{
	"model":       {"mmproj"},
	"prompt":      {"prompt-file"},
	"prompt-file": {"prompt"},
}

func isSetting(f *pflag.Flag) bool { return !slices.Contains(commandLineOnly, f.Name) }

// SettingFlags are the flags that are settings, in the order of the help.
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

// userConfig is the path of the user's file, "" where there is no such folder.
func userConfig() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "photodesc", configName)
}

// Configure gives the flags that were not on the command line the values that
// variables and files have for them, and checks all.
func (f *Flags) Configure(workdir string, set *pflag.FlagSet) (*Config, Settings, error) {
	c := &Config{flags: set, Sources: map[string]Source{}}
	chosen := map[string]given{}
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
		return nil, s, blame(err, chosen)
	}
	return c, s, nil
}

// gather collects what files, the run before and variables say, the lower levels first.
func (c *Config) gather(workdir string, last map[string]given) (map[string]given, error) {
	chosen := map[string]given{}
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

func override(chosen, higher map[string]given) {
	for name := range higher {
		for _, other := range replaces[name] {
			delete(chosen, other)
		}
	}
	for name, g := range higher {
		chosen[name] = g
	}
}

// file reads a file of settings. One that is not there says nothing.
func (c *Config) file(l level, path string) (map[string]given, error) {
	data, err := fsutil.ReadSmall(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		c.files = append(c.files, configFile{path: path})
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the settings cannot be read: %w\n  --no-config goes on without them", err)
	}
	entries, err := parseConfig(data)
	var bad *lineError
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("%s:%d: %w", path, bad.line, err)
	}
	here := map[string]given{}
	for _, e := range entries {
		place := fmt.Sprintf("%s:%d", path, e.line)
		if err := c.known(e.key); err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		here[e.key] = given{Source{l, place}, e.values, e.list, filepath.Dir(path)}
	}
	c.files = append(c.files, configFile{path, true, len(here)})
	return here, nil
}

// known says whether a key is a setting, and if not, which one may be meant.
func (c *Config) known(key string) error {
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
	plain := strings.ReplaceAll(strings.ToLower(key), "_", "-")
	if near := wording.Nearest(plain, keys, max(3, len(plain)/2)); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("there is no setting %q%s\n  `photodesc config` lists the settings", key, hint)
}

// variables reads PHOTODESC_DETAIL and its like. An empty one says nothing. One
// that is nearly the name of a setting is an error: it would be silently
// without effect.
func (c *Config) variables(environ []string) (map[string]given, error) {
	keys := map[string]string{}
	var names []string
	for _, f := range SettingFlags(c.flags) {
		keys[variable(f.Name)] = f.Name
		names = append(names, variable(f.Name))
	}
	here := map[string]given{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(ownVariables, name) {
			continue
		}
		key, known := keys[name]
		if !known {
			if flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, variablePrefix), "_", "-")); c.flags.Lookup(flag) != nil {
				return nil, fmt.Errorf("the variable %s: %w", name, c.known(flag))
			}
			if near := wording.Nearest(name, names, 2); near != "" {
				return nil, fmt.Errorf("the variable %s is no setting; did you mean %s?\n  `photodesc config` lists the settings", name, near)
			}
			continue // somebody's own
		}
		g := given{Source: Source{fromEnvironment, name}, values: []string{value}}
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

// setFlag gives a flag the value of a variable, the run before or a file. Only those
// of files are not as if given on the command line, for who goes on with the run
// reads the files again.
func setFlag(f *pflag.Flag, g given) error {
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

// IsGiven tells whether somebody has said what a flag is, be it the default.
func IsGiven(f *pflag.Flag) bool { return f.Changed || f.Annotations[givenNote] != nil }

// filesAbsolute makes the names of files relative to a folder; "~/" is the home.
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

// Wanted says what a flag takes.
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

// blame finds the file or variable whose value a check refuses, so that its
// place can be said. What is wrong only together is said without.
func blame(err error, chosen map[string]given) error {
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		var alone Flags
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		alone.Register(set)
		if setFlag(set.Lookup(name), chosen[name]) != nil {
			continue
		}
		if _, bad := alone.Check(); bad != nil {
			return ui.UsageError("%s: %s", chosen[name].Place, strings.ReplaceAll(bad.Error(), "--"+name, name))
		}
	}
	return err
}
