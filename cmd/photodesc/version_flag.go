package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// cobra would write the version itself, but with a template: those make the program 6 MB larger (docs/dependencies.md).
const versionFlag = "version"

// versionAsked says whether c is the program itself with --version. It counts before all else that is wrong.
func versionAsked(c *cobra.Command) bool {
	asked, err := c.Flags().GetBool(versionFlag)
	return err == nil && asked && !c.HasParent()
}

func helpOrVersionArgs(c *cobra.Command, args []string) error {
	if versionAsked(c) {
		return nil
	}
	return unknownCommand(c, args)
}

// helpOrVersion is the program without a command.
func helpOrVersion(c *cobra.Command, _ []string) error {
	if !versionAsked(c) {
		return c.Help()
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "photodesc %s\n", version)
	return err
}
