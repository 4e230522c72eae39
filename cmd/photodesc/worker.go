package main

import (
	"github.com/spf13/cobra"

	"photodesc/internal/worker"
)

func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "One batch; started by run",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return worker.Serve(version) },
	}
}
