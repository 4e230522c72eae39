package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func doctorCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine end to end and say what is wrong and what to do",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("not yet")
		},
	}
}
