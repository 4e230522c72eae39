// Command photodesc describes every photo of a folder in words, on this
// machine, with a small vision-language model.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"photodesc/internal/ui"
	"photodesc/llm/kernels"

	"github.com/spf13/cobra"
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
	if completing(args) {
		forShell(root)
	}
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
	dir    string // the workdir
	manner ui.Manner
}

// setManner has the command speak as its flags say.
func (g *global) setManner() error {
	m := g.manner
	switch {
	case !slices.Contains([]string{ui.ColorAuto, ui.ColorAlways, ui.ColorNever}, m.Color):
		return ui.UsageError("--color: %q is not %s, %s or %s", m.Color, ui.ColorAuto, ui.ColorAlways, ui.ColorNever)
	case m.Quiet && m.Verbose:
		return ui.UsageError("--quiet and --verbose contradict each other")
	}
	ui.SetManner(m)
	return nil
}

func newRoot() *cobra.Command {
	cobra.EnableCommandSorting = false // what is needed first comes first
	g := &global{}
	root := &cobra.Command{
		Use:           "photodesc",
		Short:         "Describe a folder of photos in words, privately, on this machine",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          helpOrVersionArgs,
		RunE:          helpOrVersion,

		SuggestionsMinimumDistance: 2,
	}
	all := root.PersistentFlags()
	all.SortFlags = false
	all.StringVarP(&g.dir, "workdir", "C", ".", "the `FOLDER` with progress, results and logs")
	all.BoolVarP(&g.manner.Quiet, "quiet", "q", false, "say warnings and errors only, and what was asked for")
	all.BoolVar(&g.manner.Verbose, "verbose", false, "say more: also what workers and libraries say")
	all.StringVar(&g.manner.Color, "color", ui.ColorAuto, "when text has colours; auto is on a terminal, NO_COLOR and CLICOLOR_FORCE count")
	all.BoolP("help", "h", false, "show this help")
	root.Flags().BoolP(versionFlag, "v", false, "print the version")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if versionAsked(c) {
			return nil
		}
		if err := kernels.Check(); err != nil {
			return ui.UsageError("%v", err)
		}
		return g.setManner()
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		runCommand(g),
		describeCommand(g),
		nodeCommand(g),
		statusCommand(g),
		summaryCommand(g),
		showCommand(g),
		correctCommand(g),
		againCommand(g),
		forgetCommand(g),
		mergeCommand(g),
		searchCommand(g),
		exportCommand(g),
		browseCommand(g),
		logsCommand(g),
		stopCommand(g),
		serviceCommand(g),
		modelsCommand(g),
		configCommand(g),
		doctorCommand(g),
		benchCommand(),
		versionCommand(),
		completionCommand(),
		workerCommand(),
		manCommand(),
	)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand(root))
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if err := g.setManner(); err != nil {
			g.manner = ui.Manner{} // help is for who does not know the flags
		}
		writeHelp(c.OutOrStdout(), c)
	})
	completeValues(root)
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
