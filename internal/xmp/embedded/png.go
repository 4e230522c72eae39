package embedded

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// readPNG returns the XMP of a PNG, which is in an iTXt chunk.
func readPNG(r io.ReadSeeker) ([]byte, error) {
	at := int64(8)
	for {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return nil, err
		}
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, nil // cut off: what is there was read
			}
			return nil, err
		}
		length := int64(binary.BigEndian.Uint32(head[:4]))
		switch string(head[4:]) {
		case "IEND":
			return nil, nil
		case "iTXt":
			body, err := io.ReadAll(io.LimitReader(r, min(length, maxPacket+1)))
			if err != nil {
				return nil, err
			}
			if rest, found := bytes.CutPrefix(body, []byte("XML:com.adobe.xmp\x00")); found {
				return textOf(rest)
			}
		}
		at += 8 + length + 4
	}
}

// textOf returns the text of an iTXt chunk, without its keyword.
func textOf(body []byte) ([]byte, error) {
	if len(body) < 2 {
		return nil, errors.New("its XMP is cut off")
	}
	compressed := body[0] != 0
	parts := bytes.SplitN(body[2:], []byte{0}, 3) // language, translated keyword, text
	if len(parts) < 3 {
		return nil, errors.New("its XMP is cut off")
	}
	text := parts[2]
	if compressed {
		z, err := zlib.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("its XMP cannot be unpacked: %w", err)
		}
		if text, err = io.ReadAll(io.LimitReader(z, maxPacket+1)); err != nil {
			return nil, fmt.Errorf("its XMP cannot be unpacked: %w", err)
		}
	}
	if len(text) > maxPacket {
		return nil, fmt.Errorf("its XMP is larger than %d MiB", maxPacket>>20)
	}
	return text, nil
}
