package main

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/export"
	"photodesc/internal/models"
	"photodesc/internal/ui"
)

const completionHelp = `Prints a script with which a shell completes commands, flags and their values.
bash needs the package bash-completion for it, zsh "autoload -U compinit;
compinit" in ~/.zshrc.`

const completionExample = `  # in the shell that is open now
  source <(photodesc completion bash)
  source <(photodesc completion zsh)
  photodesc completion fish | source
  # in every shell from now on
  photodesc completion bash > ~/.local/share/bash-completion/completions/photodesc
  photodesc completion zsh > "${fpath[1]}/_photodesc"
  photodesc completion fish > ~/.config/fish/completions/photodesc.fish`

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "Print a script that completes commands, flags and values in a shell",
		Long:      completionHelp,
		Example:   completionExample,
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      exactly(1, "the name of a shell: bash, zsh or fish"),
		RunE: func(c *cobra.Command, args []string) error {
			switch w := c.OutOrStdout(); args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(w, true)
			case "zsh":
				return c.Root().GenZshCompletion(w)
			case "fish":
				return c.Root().GenFishCompletion(w, true)
			}
			return ui.UsageError("there is no completion for %q, only for bash, zsh and fish", args[0])
		},
	}
}

// completing reports whether a shell asks what a word may become.
func completing(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// forShell makes the texts of all flags what a shell shows beside them: without
// the backticks that name their values.
func forShell(c *cobra.Command) {
	plain := func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) }
	c.Flags().VisitAll(plain)
	c.PersistentFlags().VisitAll(plain)
	for _, sub := range c.Commands() {
		forShell(sub)
	}
}

// completeValues gives each flag that takes a value what completes it, and each
// command what completes its arguments.
func completeValues(c *cobra.Command) {
	flag := func(f *pflag.Flag) {
		if f.Value.Type() == "bool" {
			return
		}
		if _, has := c.GetFlagCompletionFunc(f.Name); has {
			return
		}
		if err := c.RegisterFlagCompletionFunc(f.Name, completionOf(f.Name)); err != nil {
			panic(err) // the flag is c's
		}
	}
	c.Flags().VisitAll(flag)
	c.PersistentFlags().VisitAll(flag)
	if c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 && !c.HasSubCommands() {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range c.Commands() {
		completeValues(sub)
	}
}

// completionOf is what completes a flag's value. Where nothing is to be known,
// as of a number, no file is offered.
func completionOf(flag string) cobra.CompletionFunc {
	switch flag {
	case "model":
		return completeModel
	case "mmproj":
		return onlyFiles("gguf")
	case "workdir":
		return folders
	case "prompt-file", "keywords", "files-from", "output":
		return files
	}
	if flag == "columns" {
		return cobra.FixedCompletions(export.ColumnNames(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveKeepOrder)
	}
	list, _ := config.Words(flag)
	var words []string
	for _, w := range list {
		words = append(words, cobra.CompletionWithDesc(w.Value, w.Means))
	}
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
}

func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func onlyFiles(ending string) cobra.CompletionFunc {
	return cobra.FixedCompletions([]string{ending}, cobra.ShellCompDirectiveFilterFileExt)
}

// oneFolder completes the one folder of a command, and no second one.
func oneFolder(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return folders(c, args, word)
}

// completeModel offers the names of models, and GGUF files once a word looks
// like a path.
func completeModel(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(word, "/.~") {
		return []string{"gguf"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return modelNames(), cobra.ShellCompDirectiveKeepOrder
}

// completeModelName offers the names of models, for one argument.
func completeModelName(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return modelNames(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func modelNames() (names []string) {
	for _, e := range models.Catalogue {
		names = append(names, cobra.CompletionWithDesc(e.Name, fmt.Sprintf("%s, %s", humanize.Bytes(uint64(e.Size())), e.Good)))
	}
	return names
}
