package tracker

import "bytes"

// validJSON says, like json.Valid, whether b is one JSON value. It is there
// because json.Valid takes most of the time of resuming a million photos and
// this, which goes over strings with the help of bytes.IndexByte, a fraction.
func validJSON(b []byte) bool {
	rest, ok := skipValue(skipSpace(b), 0)
	return ok && len(skipSpace(rest)) == 0
}

// maxDepth bounds nesting; our lines have two levels.
const maxDepth = 100

// skipValue returns what follows the value that b begins with.
func skipValue(b []byte, depth int) ([]byte, bool) {
	if len(b) == 0 || depth > maxDepth {
		return nil, false
	}
	switch c := b[0]; c {
	case '"':
		return skipString(b)
	case '{', '[':
		return skipMembers(b[1:], c == '{', depth)
	case 't':
		return bytes.CutPrefix(b, []byte("true"))
	case 'f':
		return bytes.CutPrefix(b, []byte("false"))
	case 'n':
		return bytes.CutPrefix(b, []byte("null"))
	}
	return skipNumber(b)
}

// skipMembers goes over an object or array whose opening bracket is gone.
func skipMembers(b []byte, object bool, depth int) ([]byte, bool) {
	end := byte(']')
	if object {
		end = '}'
	}
	b = skipSpace(b)
	if len(b) > 0 && b[0] == end {
		return b[1:], true
	}
	for {
		var ok bool
		if object {
			if b, ok = skipString(skipSpace(b)); !ok {
				return nil, false
			}
			if b = skipSpace(b); len(b) == 0 || b[0] != ':' {
				return nil, false
			}
			b = b[1:]
		}
		if b, ok = skipValue(skipSpace(b), depth+1); !ok {
			return nil, false
		}
		if b = skipSpace(b); len(b) == 0 {
			return nil, false
		}
		switch b[0] {
		case end:
			return b[1:], true
		case ',':
			b = b[1:]
		default:
			return nil, false
		}
	}
}

func skipString(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, false
	}
	b = b[1:]
	for {
		end := bytes.IndexByte(b, '"')
		if end < 0 {
			return nil, false
		}
		escape := bytes.IndexByte(b[:end], '\\')
		if escape < 0 {
			return b[end+1:], !hasControl(b[:end])
		}
		if hasControl(b[:escape]) {
			return nil, false
		}
		var ok bool
		if b, ok = skipEscape(b[escape+1:]); !ok {
			return nil, false
		}
	}
}

// skipEscape goes over an escape sequence whose backslash is gone.
func skipEscape(b []byte) ([]byte, bool) {
	switch b[0] { // there is a quote at least
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return b[1:], true
	case 'u':
		if len(b) < 5 {
			return nil, false
		}
		for _, c := range b[1:5] {
			if !(isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return nil, false
			}
		}
		return b[5:], true
	}
	return nil, false
}

func skipNumber(b []byte) ([]byte, bool) {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := b
	b = skipDigits(b)
	if len(b) == len(whole) || (whole[0] == '0' && len(whole)-len(b) > 1) {
		return nil, false
	}
	if len(b) > 0 && b[0] == '.' {
		frac := skipDigits(b[1:])
		if len(frac) == len(b)-1 {
			return nil, false
		}
		b = frac
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		exp := skipDigits(b)
		if len(exp) == len(b) {
			return nil, false
		}
		b = exp
	}
	return b, true
}

func skipDigits(b []byte) []byte {
	for len(b) > 0 && isDigit(b[0]) {
		b = b[1:]
	}
	return b
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hasControl looks for bytes that a JSON string may not hold, eight at a time.
func hasControl(b []byte) bool {
	for len(b) >= 8 {
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// A byte below 0x20 borrows into its high bit, unless that was set.
		if (w-0x2020202020202020)&^w&0x8080808080808080 != 0 {
			return true
		}
		b = b[8:]
	}
	for _, c := range b {
		if c < 0x20 {
			return true
		}
	}
	return false
}
