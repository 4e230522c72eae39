package prompts

import "testing"

func TestBlank(t *testing.T) {
	own := Prompt{Name: "prompt-1", Text: "How many people?"}
	describe, _ := ByName(Describe)
	keywords, _ := ByName(Keywords)
	for _, c := range []struct {
		answer               string
		blankNamed, blankOwn bool // as an answer to a named prompt, and to a person's own
	}{
		{"", true, true},
		{" \n\t", true, true},
		{"...", true, true},
		{"**__**", true, true},
		{"-, ;", true, true},
		{"\ufffd\ufffd", true, true},
		{"\u200b\u00ad", true, true}, // no width
		{"2", true, false},
		{"٣", true, false},
		{"½", true, false},
		{"Ⅷ", true, false},
		{"12:30", true, false},
		{"😀", true, false},
		{"✓", true, false},
		{"---> ...", true, true},
		{"a", false, false},
		{"... é", false, false},
		{"犬", false, false},
		{"कुत्ता", false, false},
		{"A dog.", false, false},
	} {
		if got := own.Blank(c.answer); got != c.blankOwn {
			t.Errorf("%q to %q: blank %v", c.answer, own.Text, got)
		}
		for _, p := range []Prompt{describe, keywords} {
			if got := p.Blank(c.answer); got != c.blankNamed {
				t.Errorf("%q to %q: blank %v", c.answer, p.Text, got)
			}
		}
	}
	// A person's own text under the name of a named prompt.
	if (Prompt{Name: Describe, Text: "How many?"}).Blank("2") {
		t.Error("the name decides, not the text")
	}
}
