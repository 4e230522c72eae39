package main

import (
	"strings"

	"photodesc/internal/prompts"
	"photodesc/internal/xmp"
	"photodesc/tracker"
)

// sidecarText is what a sidecar says of a photo.
func sidecarText(p *tracker.Photo) xmp.Text {
	t := xmp.Text{Description: p.Description, Language: p.Language, Keywords: p.Keywords, Model: p.Model}
	if p.Corrected() && p.Description != p.ModelDescription {
		t.Model, t.Language = "", "" // a person's words
	} else {
		switch prompts.Named(p.Prompt).Name {
		case prompts.AltText:
			t.AltText = p.Description
		case prompts.Keywords: // they are no sentence
			t.Description = ""
		}
	}
	if a, ok := p.Answers[prompts.AltText]; ok {
		t.AltText = a.Text
	}
	if t.Description == "" {
		t.Description = furtherSentence(p)
	}
	return t
}

// furtherSentence is an answer that describes the photo, where the first prompt asks for keywords.
func furtherSentence(p *tracker.Photo) string {
	for _, name := range []string{prompts.Describe, "short", prompts.AltText, "scene"} {
		if a := strings.TrimSpace(p.Answers[name].Text); a != "" {
			return a
		}
	}
	return ""
}
