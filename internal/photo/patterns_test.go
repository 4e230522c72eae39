package photo

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func patterns(tb testing.TB, lines ...string) Patterns {
	tb.Helper()
	ps, err := ParsePatterns(lines)
	if err != nil {
		tb.Fatal(err)
	}
	return ps
}

func TestParsePatternsRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":             "no pattern",
		"  ":           "no pattern",
		"# comment":    "no pattern",
		"/":            "names nothing",
		"!":            "names nothing",
		"a[b":          "invalid",
		`a\`:           "invalid",
		"[]":           "invalid",
		"[[:upper:]]x": "unsupported",
		"a\nb":         "line break",
		"./a":          "leave out the ./",
		"!../a/":       "leave out the ./",
		"a\x00b":       "zero byte",
		"\xff":         "UTF-8",
	} {
		if _, err := ParsePatterns([]string{"*.jpg", line}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", line, err, want)
		}
	}
}

// Git itself says what each of the patterns leaves out of a tree. Two differences
// are wanted: ? is a character and not a byte, and a ] in a class is written \].
func TestPatternsAsGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git to compare with")
	}
	files := []string{"a.jpg", "b.JPG", "A/a.jpg", "A/B/a.jpg", "A/B/C/c.jpg", "B/a.jpg", "foo/bar/x.jpg", "foo/x.jpg", "x/foo/bar/y.jpg",
		"a b.jpg", "a{b}.jpg", "a .jpg", "[x].jpg", "!a.jpg", "#a.jpg", "ab.jpg", "a/b.jpg", "abc/d.jpg", "star*.jpg", `back\slash.jpg`}
	slices.Sort(files)
	root := tree(t, files...)
	run := func(stdin string, args ...string) string {
		t.Helper()
		c := exec.Command(git, args...)
		c.Dir, c.Stdin = root, strings.NewReader(stdin)
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := c.Output()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: nothing is left out
			t.Fatal(err)
		}
		return string(out)
	}
	run("", "init", "-q")
	for _, lines := range []string{
		"*.jpg", "a.jpg", "/a.jpg", "A", "A/", "A/B", "/A/B/", "**/B", "**/B/", "A/**", "A/**/a.jpg", "A/**/c.jpg", "**/a.jpg", "foo/**/y.jpg",
		"foo/*", "*/foo", "?.jpg", "[ab].jpg", "[!a].jpg", "[^a].jpg", "[a-c]*", "a*.jpg\n!ab.jpg", "A/*\n!A/B/", "A/**\n!A/a.jpg", "**/A/**\n!**/a.jpg", "A\n!A/B", "a b.jpg", `a\ b.jpg`,
		"a{b}.jpg", "{a,b}.jpg", "a.jpg  ", `a\ .jpg`, `\[x\].jpg`, `\!a.jpg`, `\#a.jpg`, "#a.jpg", "!a.jpg", "??.jpg", "**", "**/", "/**", "*", "a**", "a/**",
		"a.jpg/", "x/**/bar", "foo/bar", `star\*.jpg`, "*\n!*/\n!*.JPG", "B/a.jpg\n\n# no\n!/A/B/a.jpg", `back\\slash.jpg`, "\ufeffa.jpg", "a.jpg\r\nb.JPG",
	} {
		for _, at := range []string{"", "A/"} {
			name := root + "/" + at + ".gitignore"
			if err := writeFile(name, lines+"\n"); err != nil {
				t.Fatal(err)
			}
			ignored := strings.Split(run(strings.Join(files, "\x00"), "check-ignore", "-z", "--stdin", "--no-index"), "\x00")
			if err := os.Rename(name, root+"/"+at+IgnoreName); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, rel := range files {
				if !slices.Contains(ignored, rel) {
					want = append(want, rel)
				}
			}
			got, _ := walkedWith(t, root, WalkOptions{Warn: func(rel string, err error) { t.Errorf("%s: %v", rel, err) }})
			os.Remove(root + "/" + at + IgnoreName)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q in %q:\ngot  %q\nwant %q", lines, at, got, want)
			}
		}
	}
}

func TestIncludeAndExclude(t *testing.T) {
	root := tree(t, "a.jpg", "b.png", "private/c.jpg", "private/d/e.jpg", ".hidden/f.jpg", "@eaDir/g.jpg", "P.photoslibrary/resources/h.jpg",
		"P.photoslibrary/originals/i.jpg", ".j.jpg", "k.psd", "notes.txt", "._a.jpg", "l.jpg.part")
	if err := writeFile(root+"/noending", "\xff\xd8\xff\xe0"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		exclude, include, ignore []string // ignore is for private/
		want                     string
		excluded                 string
	}{
		{nil, nil, nil, "P.photoslibrary/originals/i.jpg a.jpg b.png private/c.jpg private/d/e.jpg", ""},
		{[]string{"*.png", "private/"}, nil, nil, "P.photoslibrary/originals/i.jpg a.jpg", "files 1 folders 1"},
		{[]string{"/private/*.jpg", "!b.png"}, nil, nil, "P.photoslibrary/originals/i.jpg a.jpg b.png private/d/e.jpg", "files 1"},
		{[]string{"*.png"}, []string{"b.png"}, nil, "P.photoslibrary/originals/i.jpg a.jpg b.png private/c.jpg private/d/e.jpg", ""},
		{[]string{"private"}, []string{"private/c.jpg"}, nil, "P.photoslibrary/originals/i.jpg a.jpg b.png", "folders 1"},
		{nil, []string{".hidden", "@eaDir/"}, nil, ".hidden/f.jpg @eaDir/g.jpg P.photoslibrary/originals/i.jpg a.jpg b.png private/c.jpg private/d/e.jpg", ""},
		{nil, []string{"*.photoslibrary/resources"}, nil, "P.photoslibrary/originals/i.jpg P.photoslibrary/resources/h.jpg a.jpg b.png private/c.jpg private/d/e.jpg", ""},
		{[]string{"private", "P*"}, []string{"*"}, nil, ".hidden/f.jpg .j.jpg @eaDir/g.jpg P.photoslibrary/originals/i.jpg P.photoslibrary/resources/h.jpg a.jpg b.png k.psd noending private/c.jpg private/d/e.jpg", ""},
		{[]string{"*.jpg"}, nil, []string{"!c.jpg"}, "b.png", "files 4"},
		{nil, nil, []string{"*.jpg", "!c.jpg"}, "P.photoslibrary/originals/i.jpg a.jpg b.png private/c.jpg", "files 1"},
		{nil, []string{"e.jpg"}, []string{"*.jpg"}, "P.photoslibrary/originals/i.jpg a.jpg b.png private/d/e.jpg", "files 1"},
		{nil, nil, []string{"d"}, "P.photoslibrary/originals/i.jpg a.jpg b.png private/c.jpg", "folders 1"},
		{[]string{"a.jpg", ".j.jpg", "._a.jpg", "notes.txt", "k.psd"}, nil, nil, "P.photoslibrary/originals/i.jpg b.png private/c.jpg private/d/e.jpg", "files 1"},
	} {
		os.Remove(root + "/private/" + IgnoreName)
		if c.ignore != nil {
			if err := writeFile(root+"/private/"+IgnoreName, strings.Join(c.ignore, "\n")); err != nil {
				t.Fatal(err)
			}
		}
		found, out := walkedWith(t, root, WalkOptions{Exclude: patterns(t, c.exclude...), Include: patterns(t, c.include...)})
		if got := strings.Join(found, " "); got != c.want {
			t.Errorf("exclude %q, include %q, %q in private:\ngot  %s\nwant %s", c.exclude, c.include, c.ignore, got, c.want)
		}
		if got := strings.Join(rules(out.Excluded), " "); got != c.excluded {
			t.Errorf("exclude %q, include %q: %q, want %q", c.exclude, c.include, got, c.excluded)
		}
	}
}

func TestUnusedPatterns(t *testing.T) {
	root := tree(t, "a.jpg", "b.png", "c/d.jpg")
	opts := WalkOptions{Exclude: patterns(t, "*.png", "*.pgn", "/root/b.png", "!*.gif"), Include: patterns(t, "c", "d")}
	walkedWith(t, root, opts)
	equal(t, opts.Exclude.Unused(), "*.pgn", "/root/b.png", "!*.gif")
	equal(t, opts.Include.Unused(), "d")
}

// Negation brings back what the rules leave out, also files that the first
// listing passes over.
func TestIgnoreFileBringsBack(t *testing.T) {
	root := tree(t, "a/b.psd", "a/.c.jpg", "a/@eaDir/d.jpg", "a/e.txt", "f.psd")
	if err := writeFile(root+"/a/"+IgnoreName, "!*.psd\n!.c.jpg\n!@eaDir\n"); err != nil {
		t.Fatal(err)
	}
	found, _ := walkedWith(t, root, WalkOptions{})
	equal(t, found, "a/.c.jpg", "a/@eaDir/d.jpg", "a/b.psd")
}

func TestIgnoreFileWrong(t *testing.T) {
	root := tree(t, "a.jpg", "b.jpg", "c/a.jpg", "d/a.jpg", "e/a.jpg", "d/"+IgnoreName+"/")
	if err := writeFile(root+"/"+IgnoreName, "[x\nb.jpg\n"); err != nil {
		t.Fatal(err)
	}
	if err := mkfifo(root + "/c/" + IgnoreName); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(root+"/e/"+IgnoreName, strings.Repeat("#\n", maxIgnore)); err != nil {
		t.Fatal(err)
	}
	var warned []string
	found, _ := walkedWith(t, root, WalkOptions{Warn: func(rel string, err error) { warned = append(warned, rel+": "+err.Error()) }})
	equal(t, found, "a.jpg", "c/a.jpg", "d/a.jpg", "e/a.jpg")
	equal(t, warned, IgnoreName+`: line 1: "[x": the pattern is invalid: a [ without a ], or a \ at the end`,
		"c/"+IgnoreName+": it is a named pipe, not a file", "d/"+IgnoreName+": it is a folder, not a file",
		"e/"+IgnoreName+": it is larger than 1.0 MiB")
}

// Links carry the patterns of the folder they are in.
func TestIgnoreFileAndLinks(t *testing.T) {
	outside := tree(t, "x.jpg", "y.png")
	root := tree(t, "in/a.png", "b.png")
	link(t, outside, root+"/in/out")
	link(t, outside+"/y.png", root+"/in/c.png")
	if err := writeFile(root+"/in/"+IgnoreName, "*.png\n"); err != nil {
		t.Fatal(err)
	}
	found, _ := walkedWith(t, root, WalkOptions{})
	equal(t, found, "b.png", "in/out/x.jpg")
}

// FuzzPatterns: a pattern that is taken can be matched, and one without magic
// matches exactly its own name.
func FuzzPatterns(f *testing.F) {
	f.Add("*.jpg", "a/b.jpg")
	f.Add("!/a/**/[!b]{c}\\ ", "a/x/c")
	f.Add("**/a**b/", "é/\xff")
	f.Fuzz(func(t *testing.T, line, path string) {
		var warned bool
		ps, err := parseIgnore([]byte(line), func(error) { warned = true })
		if err != nil {
			t.Fatal(err)
		}
		ps.match(path, true)
		one, err := ParsePatterns([]string{line})
		if err != nil {
			return
		}
		if warned && !strings.ContainsAny(line, "\r\ufeff") {
			t.Errorf("%q is refused in a file only", line)
		}
		one.match(path, false)
		plain := !strings.ContainsAny(line, `*?[]\!#{}/`) && strings.TrimRight(line, " \r") == line && !bytes.ContainsRune([]byte(line), '\ufeff')
		if plain && one.match("x/"+line, false) != matched {
			t.Errorf("%q does not match itself", line)
		}
	})
}

// TestIgnoreNoPatterns has files of many wrong lines, of which few are told.
func TestIgnoreNoPatterns(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		told int
		last string
		left int
	}{
		"UTF-16":      {"\xff\xfe*\x00.\x00j\x00p\x00g\x00\r\x00\n\x00[\x00\r\x00\n\x00", 1, "UTF-16", 0},
		"wrong lines": {strings.Repeat("[x\n", 1000) + "*.jpg\n", maxWrong + 1, "990 more lines", 1},
		"a long line": {"[" + strings.Repeat("x", 100_000) + "\n*.jpg", 1, "…", 1},
	} {
		root := tree(t, "a.jpg")
		if err := writeFile(root+"/"+IgnoreName, c.text); err != nil {
			t.Fatal(err)
		}
		var told []string
		_, out := walkedWith(t, root, WalkOptions{Warn: func(_ string, err error) { told = append(told, err.Error()) }})
		if len(told) != c.told || !strings.Contains(told[len(told)-1], c.last) || len(told[len(told)-1]) > 2*maxWrongLine {
			t.Errorf("%s: told %d: %.300q", name, len(told), told)
		}
		if len(out.Excluded) != c.left {
			t.Errorf("%s: left out %v", name, out.Excluded)
		}
	}
}
