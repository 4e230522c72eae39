package config

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

// lastRunPlace is shown as the source of settings of the last run.
const lastRunPlace = "the last run"

// GoOn makes [Flags.Configure] use the flags of an earlier run, as returned by ResumeArgs. They
// override files, and are overridden by variables and
// by the command line.
func (f *Flags) GoOn(args []string) error {
	var last Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	last.Register(set)
	if err := set.Parse(args); err != nil {
		return fmt.Errorf("the settings of the last run cannot be taken over: %w\n  give the folder and the flags", err)
	}
	f.last = map[string]sourcedValue{}
	set.Visit(func(x *pflag.Flag) {
		if slices.Contains(OneRunFlags, x.Name) {
			return
		}
		g := sourcedValue{Source: Source{fromLastRun, lastRunPlace}, values: []string{x.Value.String()}}
		if list, many := x.Value.(pflag.SliceValue); many {
			g.values, g.list = list.GetSlice(), true
		}
		f.last[x.Name] = g
	})
	return nil
}

// OnCommandLine reports whether a flag was given on the command line itself.
func (c *Config) OnCommandLine(flag string) bool { return c.Sources[flag].level == fromFlag }

// IsOpen reports whether a setting is the default or that of the last run, so that the environment may say otherwise.
func (c *Config) IsOpen(flag string) bool {
	l := c.Sources[flag].level
	return l == fromDefault || l == fromLastRun
}

// FromLastRun returns the settings that come from the last run, as arguments.
func (c *Config) FromLastRun() (args []string) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, f := range SettingFlags(c.flags) {
		if c.Sources[f.Name].level == fromLastRun {
			set.AddFlag(f)
		}
	}
	return ResumeArgs(set)
}
