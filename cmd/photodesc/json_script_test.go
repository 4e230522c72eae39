package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	// documented TABLE FILE: each line of FILE is an object, or a list of such, as docs/json.md has it under that heading.
	scriptCommands["documented"] = func(ts *testscript.TestScript, neg bool, args []string) {
		var tables []jsonTable
		for _, table := range jsonTables() {
			if table.file == "json.md" {
				tables = append(tables, table)
			}
		}
		dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1])))
		objects := 0
		for dec.More() {
			var v any
			ts.Check(dec.Decode(&v))
			list, many := v.([]any)
			if !many {
				list = []any{v}
			}
			for _, v := range list {
				objects++
				ts.Check(documented(tables, args[0], v))
			}
		}
		if objects == 0 {
			ts.Fatalf("%s has no object", args[1])
		}
		if long := regexp.MustCompile(`\.\d{7,}`).FindString(regexp.MustCompile(`"(\\.|[^"\\])*"`).ReplaceAllString(ts.ReadFile(args[1]), `""`)); long != "" {
			ts.Fatalf("a number has too many decimals: %s", long)
		}
	}
}

var docLink = regexp.MustCompile(`^\[([^\]]+)\]`)

// documented compares a value with the table that is about it.
func documented(tables []jsonTable, heading string, v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is no object", heading, v)
	}
	for _, table := range tables {
		if table.heading != heading {
			continue
		}
		known := map[string]bool{}
		for _, f := range table.fields {
			known[f.name] = true
			value, there := object[f.name]
			kind, maybe := strings.CutSuffix(f.kind, ", maybe")
			if !there && !maybe {
				return fmt.Errorf("%s: %s is missing", heading, f.name)
			}
			if !there {
				continue
			}
			if err := documentedValue(tables, kind, value); err != nil {
				return fmt.Errorf("%s: %s: %w", heading, f.name, err)
			}
		}
		for name := range object {
			if !known[name] {
				return fmt.Errorf("%s: %s is in no table", heading, name)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no table %q", heading)
}

func documentedValue(tables []jsonTable, kind string, v any) error {
	if inner, ok := strings.CutPrefix(kind, "list of "); ok {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", v)
		}
		for _, v := range list {
			if err := documentedValue(tables, inner, v); err != nil {
				return err
			}
		}
		return nil
	}
	if inner, ok := strings.CutSuffix(kind, " by name"); ok {
		object, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%v is no object", v)
		}
		for _, v := range object {
			if err := documentedValue(tables, inner, v); err != nil {
				return err
			}
		}
		return nil
	}
	if m := docLink.FindStringSubmatch(kind); m != nil {
		return documented(tables, m[1], v)
	}
	ok := true
	switch kind {
	case "text", "time":
		_, ok = v.(string)
	case "true or false":
		_, ok = v.(bool)
	case "number", "whole number":
		_, ok = v.(float64)
	}
	if !ok {
		return fmt.Errorf("%v is not %s", v, kind)
	}
	return nil
}
