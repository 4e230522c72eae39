package config

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"photodesc/internal/ui"
	"photodesc/internal/wording"

	"github.com/spf13/pflag"
)

// valueOf returns a flag's value: a bool, a number, a text or a list of texts.
func valueOf(f *pflag.Flag) any {
	if list, many := f.Value.(pflag.SliceValue); many {
		return list.GetSlice()
	}
	text := f.Value.String()
	switch f.Value.Type() {
	case "bool":
		return text == "true"
	case "int", "uint32":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case "float64":
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return x
		}
	case "duration":
		return durationText(text)
	}
	return text
}

// durationText returns a duration without trailing zero units: 5m, not 5m0s.
func durationText(s string) string {
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// valueText returns a value in TOML.
func valueText(v any) string {
	switch x := v.(type) {
	case string:
		return quoteTOML(x)
	case []string:
		quoted := make([]string, len(x))
		for i, s := range x {
			quoted[i] = quoteTOML(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// quoteTOML returns a TOML basic string. JSON's escapes are valid in it, except \/.
func quoteTOML(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // cannot fail for a string
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

// maxValueCells is the width in cells up to which the table shows a value.
const maxValueCells = 60

// Write writes the settings as a table of at most width cells (0: unlimited), and
// the files and variables that were read.
func (c *Config) Write(w io.Writer, width int) {
	list := SettingFlags(c.flags)
	names, values := len("SETTING"), len("VALUE")
	for _, f := range list {
		names = max(names, len(f.Name))
		values = max(values, min(ui.Cells(valueText(valueOf(f))), maxValueCells))
	}
	places := 0
	for _, s := range c.Sources {
		places = max(places, ui.Cells(ui.AtHome(s.Place)))
	}
	if width > 0 { // shorten the value rather than the place
		values = max(min(values, width-names-places-4), 12)
	}
	row := func(name, value, from string) string {
		return fmt.Sprintf("%-*s  %s  %s", names, name, ui.Pad(ui.Fit(value, values), values), from)
	}
	fmt.Fprintln(w, ui.StyleBold.Render(row("SETTING", "VALUE", "FROM")))
	for _, f := range list {
		from, set := c.Sources[f.Name]
		line := row(f.Name, valueText(valueOf(f)), ui.AtHome(from.Place))
		if !set {
			line = ui.StyleFaint.Render(row(f.Name, valueText(valueOf(f)), levelNames[fromDefault]))
		}
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	if len(c.files) == 0 {
		fmt.Fprintln(w, "No files and no variables were read.")
		return
	}
	fmt.Fprintln(w, "Read in this order, later ones override earlier ones:")
	pathCells := 0
	for _, file := range c.files {
		pathCells = max(pathCells, ui.Cells(ui.AtHome(file.path)))
	}
	variables := 0
	for _, s := range c.Sources {
		if s.level == fromEnvironment {
			variables++
		}
	}
	for _, file := range c.files {
		text := "not there"
		if file.found {
			text = wording.Count(file.settings, "setting")
		}
		fmt.Fprintf(w, "    %s  %s\n", ui.Pad(ui.AtHome(file.path), pathCells), text)
	}
	fmt.Fprintf(w, "    %s  %s\n", ui.Pad(variablePrefix+"… variables", pathCells), wording.Count(variables, "setting"))
	if variables == 0 && !c.anyFile() {
		fmt.Fprintf(w, "Begin one with: photodesc config --example > %s\n", configName)
	}
}

func (c *Config) anyFile() bool {
	for _, f := range c.files {
		if f.found {
			return true
		}
	}
	return false
}

// SettingsJSON is `photodesc config --json`.
type SettingsJSON struct {
	Settings []settingJSON    `json:"settings"`
	Files    []configFileJSON `json:"files"` // that were looked for, the later ones count more
}

type configFileJSON struct {
	Path  string `json:"path"`
	Found bool   `json:"found"`
}

type settingJSON struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	From  string `json:"from"`
	Place string `json:"place,omitempty"`
}

// WriteJSON writes the settings, where each comes from, and the files as one JSON object.
func (c *Config) WriteJSON(w io.Writer) error {
	out := SettingsJSON{Files: []configFileJSON{}}
	for _, f := range SettingFlags(c.flags) {
		s := c.Sources[f.Name]
		out.Settings = append(out.Settings, settingJSON{f.Name, valueOf(f), levelNames[s.level], s.Place})
	}
	for _, f := range c.files {
		out.Files = append(out.Files, configFileJSON{f.path, f.found})
	}
	return ui.WriteJSON(w, out)
}

// WriteExample writes a file of settings in which every setting is commented out.
func WriteExample(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# Settings of photodesc run. Take away the # before a name to change it.\n"+
		"# This file is read in the workdir, and as %s.\n", ui.AtHome(userConfig()))
	var f Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	for _, flag := range SettingFlags(set) {
		_, usage := pflag.UnquoteUsage(flag)
		fmt.Fprintln(w)
		for line := range strings.Lines(ui.Wrap(usage, 76, "")) {
			fmt.Fprintf(w, "# %s\n", strings.TrimSpace(line))
		}
		fmt.Fprintf(w, "#%s = %s\n", flag.Name, valueText(valueOf(flag)))
	}
	return w.Flush()
}

// Differing are the settings that are not as they are by default, each with where it
// comes from: "detail = "low" (photodesc.toml:3)".
func (c *Config) Differing() (list []string) {
	for _, f := range SettingFlags(c.flags) {
		from, set := c.Sources[f.Name]
		if !set || f.Value.String() == f.DefValue {
			continue
		}
		text := f.Name + " = " + valueText(valueOf(f))
		if from.level != fromFlag {
			text += " (" + ui.AtHome(from.Place) + ")"
		}
		list = append(list, text)
	}
	return list
}
