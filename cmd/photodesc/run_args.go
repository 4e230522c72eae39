package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/models"
	"photodesc/internal/ui"
)

// photosArg wants one folder of photos. It knows the order of arguments of the
// script that this program replaces: folder, batch size, cooldown, model.
func photosArg(c *cobra.Command, args []string) error {
	if len(args) < 2 {
		return exactly(1, "one folder of photos")(c, args)
	}
	if extra := scriptFlags(args[1:]); extra != nil && !anyGiven(c, extra) {
		line := append(strings.Fields(c.CommandPath())[1:], givenFlags(c)...)
		line = append(append(line, extra...), args[0])
		return ui.UsageError("batch size, cooldown and model are flags here; the same is\n  %s", ui.CommandLine("", line...))
	}
	if isFolder(args[1]) {
		return ui.UsageError("%s wants one folder of photos, not %d; each has a workdir of its own, as in\n  %s",
			c.CommandPath(), len(args), ui.CommandLine("OTHER-WORKDIR", "run", args[1]))
	}
	return ui.UsageError("%s wants one folder of photos, not %d arguments; is %q meant for a flag?", c.CommandPath(), len(args), args[1])
}

// scriptFlags says the same as arguments after the folder, nil if they are
// something else.
func scriptFlags(args []string) (flags []string) {
	numbers := []string{"--batch-size", "--cooldown"}
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		_, notTime := time.ParseDuration(arg)
		switch {
		case err == nil && n >= 0 && (len(numbers) == 1 || len(numbers) == 2 && n > 0):
			flags, numbers = append(flags, numbers[0], arg), numbers[1:]
		case notTime == nil && len(numbers) > 0:
			flags, numbers = append(flags, "--cooldown", arg), nil
		case slices.Contains(models.Names(), arg):
			flags, numbers = append(flags, "--model", arg), nil
		default:
			return nil
		}
	}
	return flags
}

// anyGiven reports whether a command line has one of those flags already.
func anyGiven(c *cobra.Command, flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool {
		name, isFlag := strings.CutPrefix(f, "--")
		return isFlag && c.Flags().Changed(name)
	})
}

// givenFlags are the flags of the command line, to be typed again.
func givenFlags(c *cobra.Command) (words []string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, many := f.Value.(pflag.SliceValue); many {
			values = list.GetSlice()
		}
		for _, value := range values {
			switch {
			case f.Value.Type() == "bool" && value == "true":
				words = append(words, "--"+f.Name)
			case config.ValueName(f) == "" || value == "" || strings.HasPrefix(value, "-"):
				words = append(words, fmt.Sprintf("--%s=%s", f.Name, value))
			default:
				words = append(words, "--"+f.Name, value)
			}
		}
	})
	return words
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
