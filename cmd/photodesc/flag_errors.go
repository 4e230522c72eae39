package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/photo"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
)

// flagError says what is wrong with a flag, and which one may be meant.
func flagError(c *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &bad):
		return ui.UsageError("--%s: %q is not %s", bad.GetFlag().Name, bad.GetValue(), config.Wanted(bad.GetFlag()))
	case errors.As(err, &bare):
		f := bare.GetFlag()
		return ui.UsageError("--%s wants a value: --%s %s", f.Name, f.Name, config.ValueName(f))
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			all := unknown.GetSpecifiedShortnames()
			return ui.UsageError("unknown flag -%s%s%s", name, shortHint(c, name, all), pathHint(c, "-"+all))
		}
		return ui.UsageError("unknown flag --%s%s", name, flagHint(c, name))
	}
	return &ui.Exit{Code: ui.ExitUsage, Err: err}
}

// flagHint says which flag may be meant, or which command has it.
func flagHint(c *cobra.Command, name string) string {
	names := flagNames(c)
	plain := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if len(plain) >= 2 {
		if near := wording.Nearest(plain, names, max(1, min(3, len(plain)/2))); near != "" {
			return fmt.Sprintf("; did you mean --%s?", near)
		}
		var begin []string
		for _, n := range names {
			if strings.HasPrefix(n, plain) {
				begin = append(begin, "--"+n)
			}
		}
		if 0 < len(begin) && len(begin) <= 3 {
			return "; did you mean " + strings.Join(begin, " or ") + "?"
		}
	}
	if command := commandWith(c.Root(), plain); command != "" {
		return fmt.Sprintf("; it is a flag of `%s`", command)
	}
	return ""
}

// shortHint is flagHint for a single letter; "-modle" is a long flag with a
// dash too few.
func shortHint(c *cobra.Command, letter, all string) string {
	if len(all) > 2 {
		name, _, _ := strings.Cut(all, "=")
		if near := wording.Nearest(name, flagNames(c), 2); near != "" {
			return fmt.Sprintf(" in -%s; did you mean --%s?", all, near)
		}
	}
	return ""
}

// pathHint says how a path is given that begins as flags do, if the text may be one.
func pathHint(c *cobra.Command, text string) string {
	if _, err := os.Lstat(text); err != nil && !photo.IsPhoto(text) {
		return ""
	}
	return fmt.Sprintf("; a path that begins so comes after --:\n  %s", ui.CommandLine("", append(strings.Fields(c.CommandPath())[1:], "--", text)...))
}

// flagNames are those of the flags that a command's help shows.
func flagNames(c *cobra.Command) (names []string) {
	add := func(f *pflag.Flag) {
		if !f.Hidden && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	c.Flags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	return names
}

// commandWith is the first command that has a flag.
func commandWith(root *cobra.Command, flag string) string {
	for _, c := range root.Commands() {
		if f := c.Flags().Lookup(flag); f != nil && !f.Hidden && !c.Hidden {
			return c.CommandPath()
		}
	}
	return ""
}
