package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

// eachCommand calls do with every command that a person may see.
func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			eachCommand(sub, do)
		}
	}
}

// TestHelpWidths draws the help of every command: it fits, its words are whole
// and no flag is missing.
func TestHelpWidths(t *testing.T) {
	root := newRoot()
	eachCommand(root, func(c *cobra.Command) {
		for _, width := range []int{40, 80, 100} {
			var b bytes.Buffer
			drawHelp(&b, c, width)
			shown := map[string]bool{}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimRight(line, "\n")
				for _, w := range strings.Fields(line) {
					shown[w] = true
				}
				if ui.Cells(line) > width && len(strings.Fields(line)) > 1 {
					t.Errorf("%s at %d: %q is %d wide", c.CommandPath(), width, line, ui.Cells(line))
				}
			}
			for _, w := range strings.Fields(c.Long + " " + c.Example) {
				if !shown[w] {
					t.Errorf("%s at %d: %q is broken or missing", c.CommandPath(), width, w)
				}
			}
			each := func(f *pflag.Flag) {
				if f.Hidden == shown["--"+f.Name] {
					t.Errorf("%s at %d: --%s: hidden %v, shown %v", c.CommandPath(), width, f.Name, f.Hidden, shown["--"+f.Name])
				}
			}
			c.NonInheritedFlags().VisitAll(each)
			c.InheritedFlags().VisitAll(each)
			for _, bad := range []string{"true|false]", "(default )"} {
				if strings.Contains(b.String(), bad) {
					t.Errorf("%s: the help has %q", c.CommandPath(), bad)
				}
			}
		}
	})
}

// TestGroups has each flag of a run in one group, and no other in any.
func TestGroups(t *testing.T) {
	var f config.Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	var grouped []string
	for _, g := range config.Groups {
		grouped = append(grouped, g.Flags...)
	}
	set.VisitAll(func(f *pflag.Flag) {
		if n := len(slices.DeleteFunc(slices.Clone(grouped), func(name string) bool { return name != f.Name })); n != 1 {
			t.Errorf("--%s is in %d groups of internal/config/groups.go", f.Name, n)
		}
	})
	for _, name := range grouped {
		if set.Lookup(name) == nil {
			t.Errorf("there is no flag --%s", name)
		}
	}
}

// TestValuesComplete has something complete the value of every flag.
func TestValuesComplete(t *testing.T) {
	root := newRoot()
	eachCommand(root, func(c *cobra.Command) {
		each := func(f *pflag.Flag) {
			if _, has := c.GetFlagCompletionFunc(f.Name); !has && f.Value.Type() != "bool" {
				t.Errorf("%s --%s: nothing completes its value", c.CommandPath(), f.Name)
			}
		}
		c.NonInheritedFlags().VisitAll(each)
		if !c.HasSubCommands() && c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 {
			t.Errorf("%s: nothing completes its arguments", c.CommandPath())
		}
	})
}

// TestWordsAreTaken has a run accept every word that completion offers.
func TestWordsAreTaken(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, g := range config.Groups {
		for _, name := range g.Flags {
			list, _ := config.Words(name)
			for _, w := range list {
				var f config.Flags
				set := pflag.NewFlagSet("", pflag.ContinueOnError)
				f.Register(set)
				if err := set.Parse([]string{fmt.Sprintf("--%s=%s", name, w.Value)}); err != nil {
					t.Error(err)
				}
				if _, err := f.Check(); err != nil {
					t.Errorf("--%s %s: %v", name, w.Value, err)
				}
			}
		}
	}
}
