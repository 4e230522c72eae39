package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"photodesc/internal/bench/measure"
	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

var updateDocs = flag.Bool("update-docs", false, "have TestJSONDocs rewrite the tables of docs/json.md and docs/events.md")

// jsonDoc is a table of docs/json.md or docs/events.md, with the type that it is about.
type jsonDoc struct {
	file, heading string
	of            any
	also          any // of its fields, those of this embedded type have a table of their own
}

var jsonDocs = []jsonDoc{
	{"json.md", "status", tracker.Snapshot{}, nil},
	{"json.md", "status of this machine", ui.Machine{}, tracker.Snapshot{}},
	{"json.md", "all runs", ui.Places{}, nil},
	{"json.md", "summary", tracker.Summary{}, nil},
	{"json.md", "failed photo", tracker.FailedPhoto{}, nil},
	{"json.md", "record", tracker.Record{}, nil},
	{"json.md", "corrected photo", tracker.Photo{}, tracker.Record{}},
	{"json.md", "correction", tracker.Correction{}, nil},
	{"json.md", "request", tracker.Request{}, nil},
	{"json.md", "request answer", tracker.RequestAnswer{}, nil},
	{"json.md", "found photo", foundJSON{}, nil},
	{"json.md", "dry run", ui.DryRun{}, nil},
	{"json.md", "models", modelsJSON{}, nil},
	{"json.md", "config", config.SettingsJSON{}, nil},
	{"json.md", "doctor", doctorJSON{}, nil},
	{"json.md", "bench", measure.Report{}, nil},
	{"json.md", "threads sweep", measure.SweepReport{}, nil},
	{"json.md", "version", versionJSON{}, nil},
	{"events.md", "start", startEvent{}, nil},
	{"events.md", "photo", photoEvent{}, tracker.Record{}},
	{"events.md", "worker", workerEvent{}, nil},
	{"events.md", "memory", memoryEvent{}, nil},
	{"events.md", "watch", watchEvent{}, nil},
	{"events.md", "node", nodeEvent{}, nil},
	{"events.md", "stop", stopEvent{}, nil},
	{"events.md", "summary", summaryEvent{}, nil},
}

// jsonField is a row: a field, what it holds, and what that means.
type jsonField struct{ name, kind, meaning string }

// jsonTable is a table under a heading.
type jsonTable struct {
	file, heading string
	fields        []jsonField
}

// jsonTables are the tables that there should be. Types inside others follow those in json.md, under their Go names.
func jsonTables() (tables []jsonTable) {
	headings := map[reflect.Type]string{}
	for _, d := range jsonDocs {
		if d.file == "json.md" {
			headings[reflect.TypeOf(d.of)] = d.heading
		}
	}
	var more []reflect.Type
	var kind func(reflect.Type) string
	kind = func(t reflect.Type) string {
		switch {
		case t == reflect.TypeFor[time.Time]():
			return "time"
		case t == reflect.TypeFor[json.RawMessage]():
			return "anything"
		case t.Kind() == reflect.Pointer:
			return kind(t.Elem())
		case t.Kind() == reflect.Slice:
			return "list of " + kind(t.Elem())
		case t.Kind() == reflect.Map:
			return kind(t.Elem()) + " by name"
		case t.Kind() == reflect.Struct:
			if headings[t] == "" {
				headings[t] = spelled(t.Name())
				more = append(more, t)
			}
			link := strings.ReplaceAll(headings[t], " ", "-")
			return "[" + headings[t] + "](json.md#" + link + ")"
		case t.Kind() == reflect.String:
			return "text"
		case t.Kind() == reflect.Bool:
			return "true or false"
		case t.Kind() == reflect.Float64:
			return "number"
		case t.Kind() == reflect.Interface:
			return "anything"
		}
		return "whole number"
	}
	var fields func(t, also reflect.Type) []jsonField
	fields = func(t, also reflect.Type) (list []jsonField) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "":
				if f.Type != also {
					list = append(list, fields(f.Type, also)...)
				}
				continue
			case name == "-" || !f.IsExported():
				continue
			}
			k := kind(f.Type)
			if options != "" {
				k += ", maybe"
			}
			list = append(list, jsonField{name: name, kind: k})
		}
		return list
	}
	for _, d := range jsonDocs {
		also := reflect.TypeOf(d.also)
		tables = append(tables, jsonTable{d.file, d.heading, fields(reflect.TypeOf(d.of), also)})
	}
	for len(more) > 0 {
		t := more[0]
		more = more[1:]
		tables = append(tables, jsonTable{"json.md", headings[t], fields(t, nil)})
	}
	return tables
}

// spelled is a Go name as words: stageStats is "stage stats".
func spelled(name string) string {
	name = strings.TrimSuffix(name, "JSON")
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1 $2"))
}

var docRow = regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]*) \\| (.*) \\|$")

// readDocs reads the tables of a page, by heading.
func readDocs(t testing.TB, file string) map[string][]jsonField {
	text, err := os.ReadFile(filepath.Join("../../docs", file))
	if err != nil {
		t.Fatal(err)
	}
	tables, heading := map[string][]jsonField{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = title
		} else if m := docRow.FindStringSubmatch(line); m != nil {
			tables[heading] = append(tables[heading], jsonField{m[1], m[2], m[3]})
		}
	}
	return tables
}

// TestJSONDocs compares what --json prints with its documentation, field by field.
func TestJSONDocs(t *testing.T) {
	want := jsonTables()
	if *updateDocs {
		writeDocs(t, want)
	}
	const how = "go test ./cmd/photodesc -run TestJSONDocs -update-docs writes the tables; then say what the field means"
	for _, file := range []string{"json.md", "events.md"} {
		have := readDocs(t, file)
		for _, table := range want {
			if table.file != file {
				continue
			}
			rows := have[table.heading]
			delete(have, table.heading)
			for _, f := range table.fields {
				i := slices.IndexFunc(rows, func(row jsonField) bool { return row.name == f.name })
				switch {
				case i < 0:
					t.Errorf("docs/%s, %s: %s is printed and has no row\n%s", file, table.heading, f.name, how)
					continue
				case rows[i].kind != f.kind:
					t.Errorf("docs/%s, %s: %s is %s, not %s\n%s", file, table.heading, f.name, f.kind, rows[i].kind, how)
				case strings.TrimSpace(rows[i].meaning) == "" || rows[i].meaning == "?":
					t.Errorf("docs/%s, %s: %s has no meaning", file, table.heading, f.name)
				}
				rows = slices.Delete(rows, i, i+1)
			}
			for _, row := range rows {
				t.Errorf("docs/%s, %s: %s is not printed any more", file, table.heading, row.name)
			}
		}
		for heading := range have {
			t.Errorf("docs/%s: %q is the table of nothing", file, heading)
		}
	}
}

// writeDocs rewrites the tables. Meanings stay; those of new fields are the comments of the Go fields.
func writeDocs(t *testing.T, want []jsonTable) {
	comments := fieldComments(t)
	for _, file := range []string{"json.md", "events.md"} {
		path := filepath.Join("../../docs", file)
		have := readDocs(t, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		page := string(text)
		for _, table := range want {
			if table.file != file {
				continue
			}
			var b strings.Builder
			b.WriteString("| field | holds | meaning |\n|---|---|---|\n")
			for _, f := range table.fields {
				meaning := comments[f.name]
				if meaning == "" {
					meaning = "?"
				}
				for _, row := range have[table.heading] {
					if row.name == f.name && row.meaning != "?" {
						meaning = row.meaning
					}
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, f.kind, meaning)
			}
			head := "\n## " + table.heading + "\n"
			if !strings.Contains(page, head) {
				page += head + b.String()
				continue
			}
			before, rest, _ := strings.Cut(page, head)
			section, after := rest, ""
			if i := strings.Index(rest, "\n## "); i >= 0 {
				section, after = rest[:i], rest[i:]
			}
			lines := strings.SplitAfter(section, "\n")
			first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "|") })
			lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "|") })
			if first < 0 {
				first = len(lines)
			}
			section = strings.Join(slices.Insert(lines, first, b.String()), "")
			page = before + head + section + after
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fieldComments are the comments behind fields with a name in JSON. Where several types have the name, it is any of theirs.
func fieldComments(t *testing.T) map[string]string {
	comments := map[string]string{}
	for _, dir := range []string{".", "../../tracker", "../../internal/ui", "../../internal/config", "../../internal/bench/measure"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				field, ok := n.(*ast.Field)
				if !ok || field.Tag == nil {
					return true
				}
				key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
				if text := strings.Join(strings.Fields(field.Comment.Text()), " "); key != "" && text != "" {
					comments[key] = text
				}
				return true
			})
		}
	}
	return comments
}
