package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/ui"
)

// This file draws the help of a command, as wide as the terminal.

const (
	helpWidth     = 80  // where there is no terminal
	helpWidthMost = 100 // longer lines are hard to read
	helpIndent    = "  "

	flagColumnMost = 30 // where what flags mean begins at the most
)

// writeHelp writes what --help shows.
func writeHelp(out io.Writer, c *cobra.Command) {
	width := ui.TerminalWidth(out)
	if width <= 0 {
		width = helpWidth
	}
	drawHelp(ui.Colors(out), c, min(width, helpWidthMost))
}

func drawHelp(w io.Writer, c *cobra.Command, width int) {
	h := help{w, width}
	h.text(cmp.Or(c.Long, c.Short))
	h.usage(c)
	if c.Example != "" {
		h.heading("Examples")
		for line := range strings.Lines(c.Example) {
			h.line(helpIndent + h.example(strings.TrimSpace(line)))
		}
	}
	h.commands(c)
	h.flags(c)
	if c.HasAvailableSubCommands() {
		h.line("")
		h.text(fmt.Sprintf("%s COMMAND --help has more about a command.", c.CommandPath()))
	}
}

type help struct {
	w     io.Writer
	width int
}

// line writes a line. A terminal that is gone is noticed by what is under w.
func (h help) line(s string) { fmt.Fprintln(h.w, s) }

func (h help) text(s string) { fmt.Fprint(h.w, ui.Reflow(strings.TrimSpace(s), h.width)) }

func (h help) heading(s string) { h.line("\n" + ui.StyleBold.Render(s+":")) }

// example is a command, or a remark about those that follow.
func (h help) example(line string) string {
	width := h.width - len(helpIndent)
	if strings.HasPrefix(line, "#") {
		return ui.Wrap(line, width, helpIndent+"# ")
	}
	return ui.BreakCommand(line, width, helpIndent+"    ")
}

func (h help) usage(c *cobra.Command) {
	h.heading("Usage")
	var lines []string
	if c.Runnable() && c.HasParent() {
		lines = append(lines, useLine(c))
	}
	if c.HasAvailableSubCommands() {
		lines = append(lines, c.CommandPath()+" COMMAND")
	}
	for _, l := range lines {
		h.line(helpIndent + ui.Wrap(l, h.width-len(helpIndent), "    "))
	}
}

// useLine has the flags before the arguments, as in the examples.
func useLine(c *cobra.Command) string {
	line := c.CommandPath()
	_, arguments, _ := strings.Cut(c.Use, " ")
	if hasFlags(c) && !strings.Contains(arguments, "flags]") {
		line += " [flags]"
	}
	return strings.TrimSpace(line + " " + arguments)
}

// hasFlags reports whether a command has flags that others have not.
func hasFlags(c *cobra.Command) (has bool) {
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { has = has || !f.Hidden })
	return has
}

func (h help) commands(c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	h.heading("Commands")
	column := 0
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			column = max(column, len(helpIndent)+len(sub.Name())+2)
		}
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			h.line(ui.Row(helpIndent+sub.Name(), column, sub.Short, h.width))
		}
	}
}

// flags lists a command's own flags and then those that every command has. The
// many flags of a run are in groups.
func (h help) flags(c *cobra.Command) {
	own := c.NonInheritedFlags()
	groups := make([][]*pflag.Flag, len(config.Groups))
	var others, everywhere []*pflag.Flag
	inGroups := own.Lookup("prompt") != nil
	own.VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Hidden:
		case f.Name == "version", c.PersistentFlags().Lookup(f.Name) == f:
			everywhere = append(everywhere, f)
		case inGroups && c.Annotations[ownFlag+f.Name] == "":
			at := config.GroupOf(f.Name)
			groups[at] = append(groups[at], f)
		default:
			others = append(others, f)
		}
	})
	c.InheritedFlags().VisitAll(func(f *pflag.Flag) { everywhere = append(everywhere, f) })
	h.flagList("Flags", others)
	for i, g := range groups {
		h.flagList(config.Groups[i].Title, g)
	}
	h.flagList("Flags of every command", everywhere)
}

// ownFlag and the name of a flag annotate a command whose flag of that name is
// its own, though a run has one, too.
const ownFlag = "own flag "

func (h help) flagList(title string, list []*pflag.Flag) {
	if len(list) == 0 {
		return
	}
	h.heading(title)
	column := 0
	for _, f := range list {
		if n := len(flagHead(f)) + 2; n <= flagColumnMost {
			column = max(column, n)
		}
	}
	for _, f := range list {
		h.line(ui.Row(flagHead(f), max(column, 10), flagText(f), h.width))
	}
}

// flagHead is "  -C, --workdir DIR".
func flagHead(f *pflag.Flag) string {
	head := "      --" + f.Name
	if f.Shorthand != "" {
		head = "  -" + f.Shorthand + ", --" + f.Name
	}
	if value := config.ValueName(f); value != "" {
		head += " " + value
	}
	return head
}

func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	if d := config.Default(f); d != "" {
		text += " (default " + d + ")"
	}
	return text
}
