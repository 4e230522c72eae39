package config

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

// lastRunPlace is where settings of the run before come from, for people.
const lastRunPlace = "the last run"

// GoOn has [Flags.Configure] take the flags of an earlier run, as GoOnArgs gave them. They
// count more than files, from which they do not come, and less than variables and
// the command line of now.
func (f *Flags) GoOn(args []string) error {
	var last Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	last.Register(set)
	if err := set.Parse(args); err != nil {
		return fmt.Errorf("the settings of the last run cannot be taken over: %w\n  give the folder and the flags", err)
	}
	f.last = map[string]given{}
	set.Visit(func(x *pflag.Flag) {
		if slices.Contains(Passing, x.Name) {
			return
		}
		g := given{Source: Source{fromLastRun, lastRunPlace}, values: []string{x.Value.String()}}
		if list, many := x.Value.(pflag.SliceValue); many {
			g.values, g.list = list.GetSlice(), true
		}
		f.last[x.Name] = g
	})
	return nil
}

// FromLastRun are those settings that are as in the run before, as arguments.
func (c *Config) FromLastRun() (args []string) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, f := range SettingFlags(c.flags) {
		if c.Sources[f.Name].level == fromLastRun {
			set.AddFlag(f)
		}
	}
	return GoOnArgs(set)
}
