package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// manCommand writes the man pages for `make man`, from the texts that --help has.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the man pages into a folder",
		Hidden: true,
		Args:   exactly(1, "one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			root.DisableAutoGenTag = true // it would have the day in each page
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return writeMan(root, args[0])
		},
	}
}

// writeMan writes the page of a command and those of its commands.
func writeMan(c *cobra.Command, dir string) error {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			if err := writeMan(sub, dir); err != nil {
				return err
			}
		}
	}
	c.Long = markdown(c.Long)
	escape := func(f *pflag.Flag) { f.Usage = markdownEscapes.Replace(f.Usage) }
	c.LocalNonPersistentFlags().VisitAll(escape)
	if !c.HasParent() {
		c.PersistentFlags().VisitAll(escape)
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	var page bytes.Buffer
	header := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "photodesc " + version, Manual: "photodesc"}
	if err := doc.GenMan(c, header, &page); err != nil {
		return fmt.Errorf("man page of %s: %w", name, err)
	}
	text := page.Bytes()
	for _, noise := range []string{"[=false]", "[=true]"} { // a switch needs no value
		text = bytes.ReplaceAll(text, []byte(noise), nil)
	}
	text = bytes.ReplaceAll(text, []byte("…"), []byte("...")) // which groff does not know where the locale is C
	return os.WriteFile(filepath.Join(dir, name+".1"), text, 0o644)
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`)

// markdown makes help's plain text what cobra/doc takes: indented lines stay as they are, in blocks of their own.
func markdown(text string) string {
	var b strings.Builder
	indented := false
	for line := range strings.Lines(text) {
		now := strings.HasPrefix(line, "    ")
		if now != indented && strings.TrimSpace(line) != "" {
			b.WriteString("\n")
			indented = now
		}
		if !now {
			line = markdownEscapes.Replace(line)
		}
		b.WriteString(line)
	}
	return b.String()
}
