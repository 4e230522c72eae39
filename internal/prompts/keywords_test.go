package prompts

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestList(t *testing.T) {
	for _, c := range []struct {
		answer string
		cut    bool
		want   []string
	}{
		{answer: "dog, beach, sea, dog, Beach, sand.", want: []string{"dog", "beach", "sea", "sand"}},
		{answer: "Keywords: dog, beach", want: []string{"dog", "beach"}},
		{answer: "Sure! Here are ten keywords: dog; beach", want: []string{"dog", "beach"}},
		{answer: "- Dog\n- **Beach**\n- sea", want: []string{"Dog", "Beach", "sea"}},
		{answer: "1. dog\n2. beach\n3) sea", want: []string{"dog", "beach", "sea"}},
		{answer: "1. dog, 2. beach, 3) sea", want: []string{"dog", "beach", "sea"}},
		{answer: "1. dog 2. red beach 3. sea", want: []string{"dog", "red beach", "sea"}},
		{answer: "1.dog, (2) beach, 5.1 sound, 1920s, 3 dogs", want: []string{"dog", "beach", "5.1 sound", "1920s", "3 dogs"}},
		{answer: "#dog, #beach", want: []string{"dog", "beach"}},
		{answer: "\"dog\", 'beach'", want: []string{"dog", "beach"}},
		{answer: "The image shows a dog, a beach, and the sea.", want: []string{"dog", "beach", "sea"}},
		{answer: "dog, beach, se", cut: true, want: []string{"dog", "beach"}},
		{answer: "dog", cut: true, want: []string{"dog"}},
		{answer: "dog,, ,;beach", want: []string{"dog", "beach"}},
		{answer: "black and white, New York, 1920s", want: []string{"black and white", "New York", "1920s"}},
		{answer: "A dog that runs over a beach in the evening.", want: []string{"dog that runs over a beach in the evening"}},
		{answer: "dog, a man who walks with his dog on a beach, sea", want: []string{"dog", "sea"}},
		{answer: "", want: nil},
		{answer: " , .", want: nil},
	} {
		if got := List(c.answer, c.cut, ""); !slices.Equal(got, c.want) {
			t.Errorf("%q, cut %v: %q, want %q", c.answer, c.cut, got, c.want)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add("dog, Dog, the dog; and a dog", false)
	f.Add("1. a\n2. b", true)
	f.Fuzz(func(t *testing.T, answer string, cut bool) {
		seen := map[string]bool{}
		for _, k := range List(answer, cut, "") {
			if k == "" || k != strings.TrimSpace(k) || seen[strings.ToLower(k)] || strings.ContainsFunc(k, unicode.IsControl) || strings.ContainsAny(k, ",;\n") {
				t.Fatalf("%q in the list of %q", k, answer)
			}
			seen[strings.ToLower(k)] = true
		}
	})
}

func TestVocabulary(t *testing.T) {
	v, err := ParseVocabulary("\ufeff# trees\r\noak\r\n\r\n  red   oak \nOak\nash\n\"x\\\nredwood\n")
	if err != nil || !slices.Equal(v, Vocabulary{"oak", "red oak", "ash", `"x\`, "redwood"}) {
		t.Fatalf("%q, %v", v, err)
	}
	want := `root ::= " "? word (", " word){0,4}
word ::= ("\"x\\" | "ash" | "oak" | "red" (" oak" | "wood"))
`
	if got := v.Grammar(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := (Vocabulary{"a", "ab", "abc", "été", "êtes"}).Grammar(); !strings.Contains(got, `word ::= ("a" ("b" ("c")?)? | "été" | "êtes")`) {
		t.Error(got)
	}
	if got := v.Pick(" red oak, Oak, oak, redwoo"); !slices.Equal(got, []string{"red oak", "oak"}) {
		t.Errorf("%q", got)
	}
	for file, want := range map[string]string{
		"":                                       "no keyword",
		"# only this\n":                          "no keyword",
		"a\nb, c\n":                              "line 2 has a comma",
		"a\n\nb\x00\n":                           "line 3 has a character",
		strings.Repeat("x", 61):                  "line 1 has more than 60",
		"\xff\xfe":                               "UTF-8",
		strings.Repeat("x\n", largestVocabulary): "may have",
	} {
		if _, err := ParseVocabulary(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", file, err, want)
		}
	}
}

// FuzzVocabulary reads the grammar back: it allows each word of the vocabulary
// and nothing else.
func FuzzVocabulary(f *testing.F) {
	f.Add("oak\nred oak\nredwood\nash")
	f.Add("a\nab\nabc\nb\n\"\\\nété")
	f.Fuzz(func(t *testing.T, file string) {
		v, err := ParseVocabulary(file)
		if err != nil {
			return
		}
		if got := v.Pick(strings.Join(v, ", ")); !slices.Equal(got, v) {
			t.Fatalf("%q picked from itself: %q", v, got)
		}
		_, word, _ := strings.Cut(v.Grammar(), "word ::= ")
		got, rest := expand(t, strings.TrimSuffix(word, "\n"))
		slices.Sort(got)
		want := slices.Sorted(slices.Values(v))
		if rest != "" || !slices.Equal(got, want) {
			t.Fatalf("%q became %s, which allows %q, then %q", v, word, got, rest)
		}
	})
}

// expand lists what a group of the grammar allows, and returns what follows it.
func expand(t *testing.T, g string) (all []string, rest string) {
	g, ok := strings.CutPrefix(g, "(")
	for ok {
		if g == "" || g[0] != '"' {
			t.Fatalf("no literal: %s", g)
		}
		var lit strings.Builder
		i := 1
		for ; g[i] != '"'; i++ {
			if g[i] == '\\' {
				i++
			}
			lit.WriteByte(g[i])
		}
		g = g[i+1:]
		tails := []string{""}
		if strings.HasPrefix(g, " (") {
			tails, g = expand(t, g[1:])
		}
		for _, tail := range tails {
			all = append(all, lit.String()+tail)
		}
		if after, more := strings.CutPrefix(g, " | "); more {
			g = after
			continue
		}
		g, ok = strings.CutPrefix(g, ")")
		break
	}
	if !ok {
		t.Fatalf("a group does not end: %s", g)
	}
	if after, optional := strings.CutPrefix(g, "?"); optional {
		all, g = append(all, ""), after
	}
	return all, g
}
