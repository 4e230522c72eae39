package main

import (
	"github.com/spf13/cobra"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

const configHelp = `Lists the settings that a run in this workdir would have, and where each comes
from. Flags of run may be added to see what they would change.

Settings stand in photodesc.toml, in the workdir and in the user's configuration
folder, under the names of run's flags: batch-size = 50. Variables have the same
names: PHOTODESC_BATCH_SIZE. What counts most, first:

    flags, variables, the workdir's file, the user's file, defaults

Names of files in a photodesc.toml are relative to it. A list of several values
is written ["one", "two"]. In "--json", "from" is one of flag, environment,
workdir, user and default.`

func configCommand(g *global) *cobra.Command {
	var f config.Flags
	var example bool
	c := &cobra.Command{
		Use:     "config [run flags]",
		Short:   "List the settings of a run and where each comes from",
		Long:    configHelp,
		Example: "  photodesc config\n  photodesc config --example > photodesc.toml",
		Args:    exactly(0, "flags only"),

		DisableFlagsInUseLine: true,
	}
	f.Register(c.Flags())
	hidePassing(c)
	c.Flags().Lookup("json").Hidden = false
	c.Annotations = map[string]string{ownFlag + "json": "yes"}
	c.Flags().Lookup("json").Usage = "for programs: one JSON object"
	c.Flags().BoolVar(&example, "example", false, "print a photodesc.toml to begin with: every setting, commented out")
	c.Flags().SortFlags = false
	c.RunE = func(_ *cobra.Command, _ []string) error {
		w := c.OutOrStdout()
		if example {
			return config.WriteExample(w)
		}
		held, _, err := f.Configure(g.dir, c.Flags())
		if err != nil {
			return err
		}
		if f.Json {
			return held.WriteJSON(w)
		}
		held.Write(ui.Colors(w), ui.TerminalWidth(w))
		return nil
	}
	return c
}
