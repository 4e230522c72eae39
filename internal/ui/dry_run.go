package ui

import (
	"fmt"
	"io"
	"time"

	"photodesc/internal/wording"
	"photodesc/tracker"
)

// DryRun is what a run would do. Numbers are of photos in the photo folder.
type DryRun struct {
	Workdir string `json:"workdir"`
	Root    string `json:"root"`
	Model   string `json:"model"`
	Shard   string `json:"shard,omitempty"` // of --shard; the numbers are of its photos

	Todo      int `json:"todo"`      // that the run would describe
	Later     int `json:"later"`     // left to later runs by --limit
	NotListed int `json:"unlisted"`  // that --files-from does not list
	Described int `json:"described"` // and to be left so
	Failed    int `json:"failed"`    // and to be left so
	Changed   int `json:"changed"`   // of Described, with other settings: the run asks for --redo and does nothing

	Asked       int `json:"asked"`        // requests to describe a photo again that the run would take up
	AskedOthers int `json:"asked_others"` // requests that wait for a run with another model

	Moved        int `json:"moved"`         // of Described, under another path now
	OtherPicture int `json:"other_picture"` // of Todo and Later, described before with another picture
	TriedAgain   int `json:"tried_again"`   // of Todo and Later, failed before and changed since
	Duplicates   int `json:"duplicates"`    // of Todo, at least: copies of other files, which get their words

	UnreadFolders int             `json:"unread_folders"`
	LeftOut       tracker.LeftOut `json:"left_out"`
	Unused        []string        `json:"unused_patterns"` // of --exclude and --include
	Warnings      []string        `json:"warnings,omitempty"`

	RateHour float64 `json:"photos_per_hour,omitempty"` // of the workdir so far; 0 is not known
	Hours    float64 `json:"hours,omitempty"`           // for Todo, by that rate
}

// WriteDryRun writes lines of at most width cells; 0 is no limit.
func WriteDryRun(w io.Writer, d DryRun, changed string, width int) {
	line := func(name, text string) {
		fmt.Fprintf(w, "%-*s%s\n", labelWidth, name+":", wrap(text, width, labelWidth))
	}
	todo := wording.Count(d.Todo, "photo")
	if d.Shard != "" {
		todo += " of shard " + d.Shard
	}
	if d.Later > 0 {
		todo += ", " + Comma(d.Later) + " more left to later runs by --limit"
	}
	if d.NotListed > 0 {
		todo += ", " + Comma(d.NotListed) + " more not in the list"
	}
	if d.OtherPicture > 0 {
		todo += ", " + Comma(d.OtherPicture) + " of them again, with another picture than the one that was described"
	}
	if d.TriedAgain > 0 {
		todo += ", " + Comma(d.TriedAgain) + " of them failed and were changed since"
	}
	switch {
	case d.Duplicates == 1:
		todo += ", of which at least 1 is a copy of another and gets its words"
	case d.Duplicates > 1:
		todo += ", of which at least " + Comma(d.Duplicates) + " are copies of others and get their words"
	}
	line("To do", StyleBold.Render(todo))
	if d.Asked+d.AskedOthers > 0 {
		asked := wording.Count(d.Asked, "photo") + " to be described again, first"
		if d.AskedOthers > 0 {
			asked += "; " + Comma(d.AskedOthers) + " more wait for a run with another model"
		}
		line("Asked for", asked)
	}
	described := Comma(d.Described)
	if d.Changed > 0 {
		described += ", " + Comma(d.Changed) + " of them with other settings"
	}
	if d.Moved > 0 {
		described += ", " + Comma(d.Moved) + " of them moved or renamed"
	}
	line("Described", described)
	failed := Comma(d.Failed)
	if d.Failed > 0 {
		failed = styleBad.Render(failed) + ", left alone until --retry-failed"
	}
	line("Failed", failed)
	switch {
	case d.Todo == d.Duplicates:
	case d.RateHour > 0:
		took := time.Duration(float64(d.Todo-d.Duplicates) / d.RateHour * float64(time.Hour)).Round(time.Second)
		line("Takes", fmt.Sprintf("about %s, at the %s photos an hour of this workdir so far", Spell(max(took, time.Second)), RateText(d.RateHour)))
	default:
		line("Takes", "not known: no photo has been described here yet; photodesc bench measures this machine")
	}
	name := "Left out"
	for _, text := range append(LeftOutNames(d.LeftOut, true), LeftOutFolders(d.LeftOut, true)...) {
		if name != "" {
			line(name, text)
		} else {
			fmt.Fprintf(w, "%*s%s\n", labelWidth, "", wrap(text, width, labelWidth))
		}
		name = ""
	}
	if name != "" {
		line(name, "nothing")
	}
	if d.UnreadFolders > 0 {
		line("Not read", styleWarn.Render(wording.Count(d.UnreadFolders, "folder")))
	}
	for _, text := range append(d.Unused, d.Warnings...) {
		line("Note", text)
	}
	if changed != "" {
		fmt.Fprintf(w, "\nA run would do nothing yet: %s\n", changed)
	}
}
