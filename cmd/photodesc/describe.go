package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

const describeHelp = `Describes the photos given and prints what it says of them: of one photo the
description alone, of several a line each, as in "beach.jpg: A dog runs …". With
several prompts each answer has a line, with the prompt's name in front. "-" is a
photo on standard input.

Nothing is kept, and no workdir is made or changed. Photos are opened by the same
protected processes as in a run. Model, prompts and detail may come from variables
and photodesc.toml, too, as for run. A model that is not here is fetched first.

A photo that cannot be described has a line on standard error, and the others are
described all the same. With --json each photo is one JSON object on a line of its
own, in the order given, the failed ones as well.

To describe whole folders, in a way that can be stopped and goes on, use run.

Exit codes: 0 all are described, 1 could not go on, 2 wrong usage, 3 a photo
failed, 130 stopped.`

// describeFlags are run's flags that mean something for a few photos.
var describeFlags = []string{
	"model", "mmproj", "model-unchecked", "prompt", "prompt-file", "keywords", "language", "context", "keep-raw", "detail", "max-tokens", "temperature", "top-p",
	"repeat-penalty", "seed", "memory", "threads", "nice", "timeout", "json", "untrusted-loaders", "no-config",
}

func describeCommand(g *global) *cobra.Command {
	var f config.Flags
	var showPrompt bool
	c := &cobra.Command{
		Use:   "describe FILE...",
		Short: "Print the description of a photo, or of a few",
		Long:  describeHelp,
		Example: "  photodesc describe beach.jpg\n" +
			"  photodesc describe --prompt alt-text --prompt keywords *.jpg\n" +
			"  curl -s https://example.org/a.jpg | photodesc describe --json -",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return ui.UsageError("%s wants the names of photos, or - for one on standard input", c.CommandPath())
			}
			return nil
		},
	}
	c.ValidArgsFunction = files
	// All are registered: photodesc.toml has settings of runs, too, and those are passed over here.
	f.Register(c.Flags())
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = flag.Hidden || !slices.Contains(describeFlags, flag.Name)
	})
	c.Flags().Lookup("json").Usage = "for programs: one JSON object a line for each photo, see docs/json.md"
	c.Annotations = map[string]string{ownFlag + "show-prompt": "yes"}
	c.Flags().BoolVar(&showPrompt, "show-prompt", false, "print what the model is told and asked of each photo, too")
	c.RunE = func(_ *cobra.Command, args []string) error {
		var wrong error
		c.Flags().Visit(func(flag *pflag.Flag) {
			if flag.Hidden && wrong == nil {
				wrong = ui.UsageError("--%s is for `photodesc run`, which describes folders", flag.Name)
			}
		})
		if wrong != nil {
			return wrong
		}
		if showPrompt && f.Json {
			return ui.UsageError("--json has what was told and asked as context and prompt\n  leave --show-prompt out")
		}
		_, s, err := f.Configure(g.dir, c.Flags())
		if err != nil {
			return err
		}
		d := &describer{run: &runner{root: "/", source: folderPhotos("/"), flags: f, set: s}, out: c.OutOrStdout(), showPrompt: showPrompt}
		return d.describe(args)
	}
	return c
}

// fileError says that what should be the photo folder is a file.
type fileError struct{ name string }

func (e *fileError) Error() string {
	return fmt.Sprintf("%q is a file\n  give the folder that holds it; all photos under it are described", e.name)
}

// pointToDescribe adds to a run's error about a file the command that describes it, with the flags given.
func pointToDescribe(err error, name string, flags *pflag.FlagSet) error {
	var file *fileError
	if name != "-" && !errors.As(err, &file) || flags == nil {
		return err
	}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(describeFlags, f.Name) {
			own.AddFlag(f)
		}
	})
	command := ui.CommandLine("", slices.Concat([]string{"describe"}, config.ResumeArgs(own), []string{name})...)
	if file != nil {
		return fmt.Errorf("%w\n  or describe it alone: %s", err, command)
	}
	return ui.UsageError("a run wants a folder of photos\n  a photo on standard input is for: %s", command)
}
