package main

import (
	"os"
	"strconv"

	"photodesc/internal/bench/measure"
	"photodesc/internal/ui"

	"github.com/spf13/cobra"
)

func benchEngineCommand() *cobra.Command {
	return &cobra.Command{
		Use: "engine", Short: "The bare engine; started by bench", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return measure.ServeBareEngine(os.Stdin, os.Stdout) },
	}
}

func benchLimitsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "limits", Short: "The machine's limits; started by bench", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			threads, err := strconv.Atoi(args[0])
			if err != nil || threads < 1 {
				return ui.UsageError("%q is no number of threads", args[0])
			}
			return ui.WriteJSON(c.OutOrStdout(), measure.FindLimits(threads))
		},
	}
}
