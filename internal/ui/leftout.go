package ui

import (
	"fmt"
	"strings"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// kindsShown is how many kinds of what was left out a line names.
const kindsShown = 8

// LeftOutNames says which files look like photos and are not described, a line
// a reason. With examples it names the first of each.
func LeftOutNames(o tracker.LeftOut, examples bool) (lines []string) {
	if n := total(o.Names); n > 0 {
		text := Comma(n) + " files look like photos and were left out by their names: "
		if n == 1 {
			text = "1 file looks like a photo and was left out by its name: "
		}
		lines = append(lines, text+kindsText(o.Names)+firstText(o.Names, examples))
	}
	for i, k := range o.Cloud {
		is := " are in "
		if k.Count == 1 {
			is = " is in "
		}
		lines = append(lines, wording.Count(k.Count, "photo")+is+OneLine(k.Of)+" only"+firstText(o.Cloud[i:], examples))
	}
	return lines
}

// LeftOutFolders says which folders, and what by patterns, is not described.
func LeftOutFolders(o tracker.LeftOut, examples bool) (lines []string) {
	if n := total(o.Folders); n > 0 {
		text := Comma(n) + " folders with copies, deleted or hidden files were left out: "
		if n == 1 {
			text = "1 folder with copies, deleted or hidden files was left out: "
		}
		lines = append(lines, text+kindsText(o.Folders)+firstText(o.Folders, examples))
	}
	if n := total(o.Excluded); n > 0 {
		var parts []string
		for _, k := range o.Excluded {
			parts = append(parts, wording.Count(k.Count, strings.TrimSuffix(OneLine(k.Of), "s")))
		}
		was := " were"
		if n == 1 {
			was = " was"
		}
		lines = append(lines, strings.Join(parts, " and ")+was+" left out by --exclude or .photodescignore"+firstText(o.Excluded, examples))
	}
	return lines
}

// leftOutLines is all of it, for status and summary.
func leftOutLines(o tracker.LeftOut) []string {
	return append(LeftOutNames(o, false), LeftOutFolders(o, false)...)
}

func total(list []tracker.LeftOutKind) (n int) {
	for _, k := range list {
		n += k.Count
	}
	return n
}

// kindsText is ".psd 3, .jpg.part 1".
func kindsText(list []tracker.LeftOutKind) string {
	var parts []string
	for i, k := range list {
		if i == kindsShown {
			parts = append(parts, fmt.Sprintf("and %s of other kinds", Comma(total(list[i:]))))
			break
		}
		parts = append(parts, OneLine(k.Of)+" "+Comma(k.Count))
	}
	return strings.Join(parts, ", ")
}

func firstText(list []tracker.LeftOutKind, examples bool) string {
	if !examples || list[0].First == "" {
		return ""
	}
	return " (such as " + OneLine(list[0].First) + ")"
}
