// Command photodesc describes every photo of a folder in words, on this
// machine, with a small vision-language model.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"photodesc/internal/config"
	"photodesc/internal/ui"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// version is set by make.
var version = "dev"

// The process's first thread only waits. The system hands a signal to that thread
// if it can; one that hangs in a read of a disk that does not answer would keep
// it, and Ctrl-C would not end the program.
func init() { runtime.LockOSThread() }

func main() {
	code := make(chan int)
	go func() { code <- realMain(os.Args[1:]) }()
	os.Exit(<-code)
}

func realMain(args []string) int {
	out := ui.NewOutput(os.Stdout)
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	cmd, err := root.ExecuteC()
	code := report(cmd, err)
	if err := out.Close(); err != nil {
		fmt.Fprintf(os.Stderr, "photodesc: %v\n", err)
		if code == ui.ExitOK {
			code = ui.ExitError
		}
	}
	return code
}

// report says why a command failed and returns the exit code. Of its output
// realMain knows more.
func report(cmd *cobra.Command, err error) int {
	var e *ui.Exit
	code := ui.ExitCode(err)
	switch output := (*ui.OutputError)(nil); {
	case errors.As(err, &output):
		return ui.ExitOK
	case err == nil || errors.As(err, &e) && e.Said:
		return code
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(os.Stderr, "photodesc: %s\n", msg)
		if code == ui.ExitUsage {
			fmt.Fprintf(os.Stderr, "See `%s --help`.\n", cmd.CommandPath())
		}
	}
	return code
}

// options that every command has.
type global struct {
	dir string // the workdir
}

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:           "photodesc",
		Short:         "Describe a folder of photos in words, privately, on this machine",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2,
	}
	root.PersistentFlags().StringVarP(&g.dir, "workdir", "C", ".", "folder for progress, results and logs")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		var bad *pflag.InvalidValueError
		if errors.As(err, &bad) {
			return ui.UsageError("--%s: %q is not %s", bad.GetFlag().Name, bad.GetValue(), config.Wanted(bad.GetFlag()))
		}
		return &ui.Exit{Code: ui.ExitUsage, Err: err}
	})
	root.AddCommand(
		runCommand(g),
		statusCommand(g),
		summaryCommand(g),
		showCommand(g),
		logsCommand(g),
		stopCommand(g),
		serviceCommand(g),
		modelsCommand(g),
		configCommand(g),
		doctorCommand(g),
		benchCommand(),
		versionCommand(),
		workerCommand(),
	)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(helpCommand(root))
	root.Version = version
	root.SetVersionTemplate("photodesc {{.Version}}\n")
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		// Cobra's own says itself what becomes of its output.
		_, _ = fmt.Fprintf(c.OutOrStdout(), "%s\n\n%s", strings.TrimSpace(cmp.Or(c.Long, c.Short)), c.UsageString())
	})
	return root
}

// helpCommand is cobra's, but does not take a wrong name for none.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(c, args)
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", strings.Join(near, " or "))
	}
	return ui.UsageError("there is no command %q%s", args[0], hint)
}

// exactly is cobra.ExactArgs with our exit code and words.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return ui.UsageError("%s wants %s", c.CommandPath(), what)
		}
		return nil
	}
}
