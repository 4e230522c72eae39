package prompts

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		answer, want string
		cut          bool
	}{
		{answer: "A dog runs on a beach.", want: "A dog runs on a beach."},
		{answer: "  A dog\nruns   on a beach. \n\n It is happy.\n", want: "A dog runs on a beach. It is happy."},
		{answer: "no capital, no stop", want: "no capital, no stop"},
		{answer: "", want: ""},
		{answer: " \n\t ", want: ""},

		// Leads.
		{answer: "The image shows a dog.", want: "A dog."},
		{answer: "This image shows that a dog is running.", want: "A dog is running."},
		{answer: "The photo depicts two women in a market.", want: "Two women in a market."},
		{answer: "the photograph captures élan.", want: "Élan."},
		{answer: "This is a picture of a red car.", want: "A red car."},
		{answer: "The image is a photograph of a lake.", want: "A lake."},
		{answer: "The image is a close-up of a flower.", want: "A close-up of a flower."},
		{answer: "An image of a cat. The image also features a mouse.", want: "A cat. A mouse."},
		{answer: "In this image, we can see a tower. You can also see that it leans.", want: "A tower. It leans."},
		{answer: "In the photo there is a bridge.", want: "There is a bridge."},
		{answer: "Sure! Here is a description of the image: A dog sleeps.", want: "A dog sleeps."},
		{answer: "Certainly, here's the alt text: \"A dog sleeps.\"", want: "A dog sleeps."},
		{answer: "Alt text: A dog sleeps.", want: "A dog sleeps."},
		{answer: "Overall, the image captures the calm of a lake.", want: "The calm of a lake."},
		{answer: "The image shows the image shows a loop.", want: "A loop."},
		{answer: "The image shows.", want: "The image shows."},
		// What only looks like one.
		{answer: "The image on the wall shows a ship.", want: "The image on the wall shows a ship."},
		{answer: "In the picture frame, there is a ship.", want: "In the picture frame, there is a ship."},
		{answer: "The black and white photo shows a ship.", want: "The black and white photo shows a ship."},
		{answer: "The scenery shows autumn.", want: "The scenery shows autumn."},
		{answer: "Sure-footed goats climb.", want: "Sure-footed goats climb."},

		// Markdown.
		{answer: "**A dog** on a *beach* with `code` and __much__ _more_.", want: "A dog on a beach with code and much more."},
		{answer: "## Description\n\nA dog.\n\n---\n\n> A quotation.", want: "A dog. A quotation."},
		{answer: "# Only a heading", want: "Only a heading"},
		{answer: "**Setting:**\nA beach.", want: "A beach."},
		{answer: "- a dog\n- a cat\n* a mouse.", want: "a dog; a cat; a mouse."},
		{answer: "There are:\n1. A dog.\n2) A cat.", want: "There are: A dog. A cat."},
		{answer: "See [the dog](http://example.org) ![x](y).", want: "See the dog x."},
		{answer: "| a | b |\n|---|---|\n| c | d |", want: "a , b c , d"},
		{answer: "```\nA dog.\n```", want: "A dog."},
		{answer: "A <b>dog</b>.<br>A cat.", want: "A dog . A cat."},
		{answer: "The sign says <EXIT>, 5 * 3 * 2, snake_case_name and 2 < 3.", want: "The sign says <EXIT>, 5 * 3 * 2, snake_case_name and 2 < 3."},
		{answer: "“A dog.”", want: "A dog."},
		{answer: "\"A\" is beside \"B\"", want: "\"A\" is beside \"B\""},

		// The last sentence.
		{answer: "A dog runs. A cat sits on the", cut: true, want: "A dog runs."},
		{answer: "A dog runs. A cat sits on the", want: "A dog runs. A cat sits on the"},
		{answer: "A dog runs after a", cut: true, want: "A dog runs after a"},
		{answer: "A dog runs! Is it happy? “It is.” And the", cut: true, want: "A dog runs! Is it happy? “It is.”"},
		{answer: "A dog of Mr. Smith and J. R. Jones sits at No. 5 for 3.5 hours. Then it", cut: true, want: "A dog of Mr. Smith and J. R. Jones sits at No. 5 for 3.5 hours."},
		{answer: "The image shows a dog. The image also shows a c", cut: true, want: "A dog."},
		{answer: "狗在跑。猫坐在", cut: true, want: "狗在跑。"},
		{answer: "A dog… and so on", cut: true, want: "A dog… and so on"},

		// What should not be there at all.
		{answer: "A \x1b[31mred\x00 dog\u202e.\xff", want: "A [31mred dog.\ufffd"},
	} {
		if got := Clean(c.answer, c.cut, ""); got != c.want {
			t.Errorf("%q, cut %v:\n got %q\nwant %q", c.answer, c.cut, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"The image shows a dog. A c", "**a** _b_", "- x\n- y", "# h\n```", "| a |", "\"q\"", "Sure! Here is: x", "a。b", "Das Bild zeigt: x. Auf dem Bild ist auf dem Bild ist y zu sehen zu sehen.", "この画像にはこの画像は。", "在图中这张图片展示了", "L'image est une l'image est un ", "The image is a photo of in this image, we can see that. "} {
		f.Add(s, true)
		f.Add(s, false)
	}
	shows := regexp.MustCompile(`(?i)^(the|this) (image|photo|picture) (shows|depicts) `)
	f.Fuzz(func(t *testing.T, answer string, cut bool) {
		for _, l := range Languages() {
			got := Clean(answer, cut, l)
			if again := Clean(got, cut, l); again != got || got == "" && strings.ContainsFunc(answer, unicode.IsLetter) {
				t.Fatalf("%s: %q, cleaned again %q", l, got, again)
			}
		}
		got := Clean(answer, cut, "")
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || got != strings.Join(strings.Fields(got), " ") {
			t.Fatalf("%q", got)
		}
		if again := Clean(got, cut, ""); again != got {
			t.Fatalf("%q, cleaned again %q", got, again)
		}
		if got == "" && strings.ContainsFunc(answer, unicode.IsLetter) {
			t.Fatalf("nothing is left of %q", answer)
		}
		if m := shows.FindString(got); m != "" && strings.ContainsFunc(got[len(m):], unicode.IsLetter) {
			t.Fatalf("%q", got)
		}
	})
}
