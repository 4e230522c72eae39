package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// userDocs are the pages whose commands and flags must exist.
var userDocs = []string{"README.md", "docs/models.md", "docs/photos.md", "docs/settings.md", "docs/results.md", "docs/export.md", "docs/xmp.md", "docs/browse.md", "docs/cluster.md"}

// docLine is a line of a page that tells the reader to type something.
type docLine struct {
	page string
	line int
	text string
}

// readDoc returns a file of the repository.
func readDoc(t testing.TB, page string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// shellLines are the lines of a page's blocks of shell commands, without comments.
func shellLines(t testing.TB, page string) (lines []docLine) {
	t.Helper()
	fence := ""
	n := 0
	for text := range strings.Lines(readDoc(t, page)) {
		n++
		text = strings.TrimRight(text, "\n")
		if language, is := strings.CutPrefix(text, "```"); is {
			if fence != "" {
				language = ""
			} else if language == "" {
				t.Errorf("%s:%d: a block without a language: sh for commands, text for what they print", page, n)
			}
			fence = language
			continue
		}
		switch command, _, _ := strings.Cut(text, "  #"); {
		case fence == "sh" && strings.TrimSpace(command) != "":
			lines = append(lines, docLine{page, n, strings.TrimSpace(command)})
		case fence == "" && strings.HasPrefix(text, "    photodesc "):
			t.Errorf("%s:%d: a command in an indented block; put it into ```sh", page, n)
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%s has no block of shell commands", page)
	}
	return lines
}

var inlineCode = regexp.MustCompile("`([^`\n]+)`")

// TestDocsFlags looks for the commands and flags in the prose of the pages, which
// TestDocsCommands does not run.
func TestDocsFlags(t *testing.T) {
	flags := map[string]bool{}
	eachCommand(newRoot(), func(c *cobra.Command) {
		note := func(f *pflag.Flag) { flags["--"+f.Name] = true }
		c.NonInheritedFlags().VisitAll(note)
		c.InheritedFlags().VisitAll(note)
	})
	flag := regexp.MustCompile(`(?:^|\s)(--[a-z0-9-]+)`)
	for _, page := range userDocs {
		n := 0
		for text := range strings.Lines(readDoc(t, page)) {
			n++
			for _, code := range inlineCode.FindAllStringSubmatch(text, -1) {
				for _, f := range flag.FindAllStringSubmatch(code[1], -1) {
					if !flags[f[1]] {
						t.Errorf("%s:%d: no command has a flag %s", page, n, f[1])
					}
				}
				if rest, is := strings.CutPrefix(code[1], "photodesc "); is && !strings.Contains(rest, "COMMAND") {
					if err := parses(strings.Fields(rest), false); err != nil {
						t.Errorf("%s:%d: `%s`: %v", page, n, code[1], err)
					}
				}
			}
		}
	}
}

// parses says what the program finds wrong with a command line before it does
// anything; whole is false for one without its arguments.
func parses(args []string, whole bool) error {
	root := newRoot()
	root.SetOut(&bytes.Buffer{})
	root.SetErr(&bytes.Buffer{})
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if !whole {
		return nil
	}
	return c.ValidateArgs(c.Flags().Args())
}

// TestDocsLinks follows the links between the pages.
func TestDocsLinks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "../../README.md", "../../CONTRIBUTING.md")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	followed := 0
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			followed++
			path, anchor, _ := strings.Cut(m[1], "#")
			to := page
			if path != "" {
				to = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
				continue
			}
			if anchor != "" && !headingIDs(t, to)[anchor] {
				t.Errorf("%s: the link %s leads to no heading", page, m[1])
			}
		}
	}
	if followed < 20 {
		t.Errorf("only %d links were found", followed)
	}
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// headingIDs are the names that GitHub gives to a page's headings.
func headingIDs(t *testing.T, path string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if marks := strings.TrimLeft(line, "#"); len(marks) < len(line) && strings.HasPrefix(marks, " ") {
			text := notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(marks)), "")
			names[strings.ReplaceAll(text, " ", "-")] = true
		}
	}
	return names
}

// TestDocsTargets looks for each make target that the pages name.
func TestDocsTargets(t *testing.T) {
	makefile := readDoc(t, "Makefile")
	call := regexp.MustCompile(`^(?:sudo )?make ([a-z][a-z-]*)`)
	seen := 0
	check := func(page string, line int, text string) {
		if m := call.FindStringSubmatch(text); m != nil {
			seen++
			if !regexp.MustCompile(`(?m)^(?:[a-z -]+ )?` + m[1] + `(?: [a-z -]+)?:`).MatchString(makefile) {
				t.Errorf("%s:%d: the Makefile has no target %q", page, line, m[1])
			}
		}
	}
	for _, page := range userDocs {
		for _, l := range shellLines(t, page) {
			check(l.page, l.line, l.text)
		}
		n := 0
		for text := range strings.Lines(readDoc(t, page)) {
			n++
			for _, code := range inlineCode.FindAllStringSubmatch(text, -1) {
				check(page, n, code[1])
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d calls of make were found", seen)
	}
}
