package photo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file knows names that are nearly those of photos: IMG_1.jpg(1),
// IMG_1.jpg_large, IMG_1.jp, .IMG_1.jpg.icloud.

// takeoutLength is from how many characters on Google Takeout has cut a name,
// and may have cut its ending to a letter.
const takeoutLength = 46

// kindOfName is what a file's name says of it.
func kindOfName(name string) treatment {
	if t := treatmentOf(name); t != notPhoto {
		return t
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return cutName(name, "")
	}
	stem, ending := name[:dot], name[dot+1:]
	if ending == "" { // IMG_1.jpg.
		if treatmentOf(stem).isPhoto() {
			return photoOrCounted
		}
		return cutName(name, ending)
	}
	if of := treatmentOf(stem); of.isPhoto() || of == photoOrCounted {
		return afterPhoto(ending)
	}
	if rest, ok := afterEnding(ending); ok {
		if isBackup(rest) {
			return unread
		}
		return photoOrCounted
	}
	if at := strings.IndexByte(name, '?'); at > 0 && treatmentOf(name[:at]).isPhoto() {
		return photoOrCounted // IMG_1.jpg?width=1.5
	}
	return cutName(name, ending)
}

// afterPhoto is for an ending that follows a photo's whole name.
func afterPhoto(ending string) treatment {
	if isNumber(ending) { // IMG_1.jpg.1, by wget
		return photoOrCounted
	}
	switch following[strings.ToLower(ending)] {
	case inCloud:
		return inCloud
	case sidecar:
		return notPhoto
	}
	return unread
}

// afterEnding is what follows a photo's ending within an ending: "(1)" of
// "jpg(1)". It is no letter, or the ending is another one: jpgw.
func afterEnding(ending string) (rest string, ok bool) {
	for n := min(len(ending)-1, 4); n >= 3; n-- {
		if c := ending[n]; (c|0x20 < 'a' || c|0x20 > 'z') && c < utf8.RuneSelf && treatmentOfEnding(ending[:n]).isPhoto() {
			return ending[n:], true
		}
	}
	return "", false
}

// isBackup reports whether what follows a photo's ending is how programs name
// the state of a file before they changed it.
func isBackup(rest string) bool {
	switch strings.ToLower(strings.Trim(rest, "_- ()0123456789")) {
	case "original", "bak", "backup", "old", "save", "tmp":
		return true
	}
	return strings.HasPrefix(rest, "~")
}

func isNumber(s string) bool {
	s = strings.Trim(s, " ()")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cutName is for a name so long that its ending may have been cut off.
func cutName(name, ending string) treatment {
	if len(name) < takeoutLength || utf8.RuneCountInString(name) < takeoutLength {
		return notPhoto
	}
	low := strings.ToLower(ending)
	for _, e := range photoEnds {
		if strings.HasPrefix(e, low) && len(low) < len(e) {
			return photoIfPicture
		}
	}
	return notPhoto
}

const (
	resourceFork = "._" // what macOS leaves beside a file on other file systems
	hiddenEnding = "hidden (.NAME)"
)

// hiddenKind is what the name of a hidden file, one with a leading dot, says.
func hiddenKind(name string) treatment {
	if strings.HasPrefix(name, resourceFork) {
		return notPhoto
	}
	switch t := kindOfName(name[1:]); {
	case t == inCloud: // .IMG_1.HEIC.icloud
		return inCloud
	case t.isPhoto():
		return unread
	}
	return notPhoto
}

// serviceOf is the cloud that has the photo of a placeholder.
func serviceOf(name string) string {
	return clouds[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]
}

const maxLabel = 20 // bytes of an ending that is shown

// label is how a name ends, for counting: numbers are N, so that copies with
// all numbers count together.
func label(name string) string {
	if strings.HasPrefix(name, ".") {
		return hiddenEnding
	}
	if at := strings.IndexByte(name, '?'); at > 0 && treatmentOf(name[:at]).isPhoto() {
		name = name[:at+1] // what follows is of a web address
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "(none)"
	}
	if inner := strings.LastIndexByte(name[:dot], '.'); inner >= 0 && treatmentOf(name[:dot]) != notPhoto {
		dot = inner
	}
	number := false
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9' && number:
			return -1
		case r >= '0' && r <= '9':
			number = true
			return 'N'
		}
		number = false
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return unicode.ToLower(r)
	}, shorten(name[dot:], maxLabel))
}

// shorten cuts s to at most n bytes, between characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
