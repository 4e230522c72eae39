package xmp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
)

// Photos writes into photos themselves, by the program exiftool. Its methods may be called
// concurrently.
type Photos struct {
	*Sidecars
	ctx      context.Context
	exiftool string
}

// IntoPhotos is [In] for the photos themselves. The error says that there is no exiftool.
func IntoPhotos(ctx context.Context, root string, o Options) (*Photos, error) {
	path, err := exec.LookPath("exiftool")
	if err != nil {
		return nil, errors.New("exiftool is not installed, and it writes into photos\n  Debian has it as libimage-exiftool-perl, Homebrew as exiftool")
	}
	return &Photos{In(root, o), ctx, path}, nil
}

const (
	// embedLimit is how large XMP in a JPEG may be that is in one piece, in bytes.
	embedLimit = 65_000
	// embedPatience is how long exiftool may take over a photo.
	embedPatience = 2 * time.Minute

	wrapBegin = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
	wrapEnd   = `<?xpacket end="w"?>`
)

// Write brings the XMP inside of a photo up to date; path is relative to the root. What a
// person wrote into its sidecar counts, too. The error is an *[Error].
func (p *Photos) Write(path string, t Text) (Outcome, error) {
	return p.edit(path, func(full string, in Embedded) ([]byte, error) {
		if written := p.inSidecar(full); len(written) > 0 {
			in.Fields = append(in.Fields, Field{Name: "dc:description", Kind: "Alt", Values: written})
		}
		before, body, after := splitPacket(in.Packet)
		if len(body) > 0 {
			out, err := Update(body, t, Embedded{Fields: in.Fields})
			return slices.Concat(before, out, after), err
		}
		body = []byte(bare[strings.Index(bare, "\n")+1:])
		out, err := update(body, t, Embedded{Fields: in.Fields}, sum(string(body)))
		if err != nil || bytes.Equal(out, body) {
			return nil, err
		}
		return slices.Concat([]byte(wrapBegin), out, []byte(wrapEnd)), nil
	})
}

// Remove takes out of a photo what Write put in. The error is an *[Error].
func (p *Photos) Remove(path string) (Outcome, error) {
	return p.edit(path, func(_ string, in Embedded) ([]byte, error) {
		if !bytes.Contains(in.Packet, []byte(nsOwn)) {
			return in.Packet, nil
		}
		before, body, after := splitPacket(in.Packet)
		rest, made, err := Remove(body)
		if made || err != nil {
			return nil, err
		}
		return slices.Concat(before, rest, after), nil
	})
}

// inSidecar is what a person wrote as a description into the photo's sidecar.
func (p *Photos) inSidecar(full string) []string {
	sidecar, exists, err := p.finder.find(full)
	if err != nil || !exists {
		return nil
	}
	was, err := readSidecar(sidecar)
	if err != nil {
		return nil
	}
	return Embedded{Packet: was.bytes}.scan().descriptions
}

// edit replaces the XMP inside of a photo by what change makes of it; nil is none.
func (p *Photos) edit(path string, change func(full string, in Embedded) ([]byte, error)) (Outcome, error) {
	full := fsutil.Join(p.root, path)
	fail := func(err error) (Outcome, error) { return Unchanged, &Error{full, err} }
	if !filepath.IsLocal(path) {
		return fail(errOutside)
	}
	info, err := os.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		return Gone, nil
	}
	if err != nil {
		return fail(err)
	}
	format, err := embeddable(full, info)
	if err != nil {
		return fail(err)
	}
	in, err := p.inside(full)
	if err != nil {
		return fail(err)
	}
	in.Packet = bytes.TrimRight(in.Packet, "\x00")
	data, err := change(full, in)
	if err != nil {
		return fail(err)
	}
	outcome := Changed
	switch {
	case bytes.Equal(data, in.Packet):
		return Unchanged, nil
	case len(data) > embedLimit || bytes.Contains(in.Packet, []byte("HasExtendedXMP")):
		return fail(refuse("its XMP is too large for one piece of a JPEG"))
	case len(data) == 0:
		outcome = Deleted
	case len(in.Packet) == 0:
		outcome = Made
	}
	if p.dry {
		return outcome, nil
	}
	r, err := lock(full)
	if err != nil {
		return fail(err)
	}
	if err := p.replace(r, full, format, data, info); err != nil {
		r.discard()
		return fail(err)
	}
	return outcome, nil
}

// embeddable is the format of a photo that may be changed.
func embeddable(full string, info fs.FileInfo) (format string, err error) {
	switch stat, ok := info.Sys().(*syscall.Stat_t); {
	case info.Mode()&fs.ModeSymlink != 0:
		return "", refuse("it is a symbolic link")
	case !info.Mode().IsRegular():
		return "", refuse("%v", &fsutil.NotRegularError{Mode: info.Mode()})
	case ok && stat.Nlink > 1:
		return "", refuse("it has other hard links, which would keep the old content")
	case photo.IsRaw(full):
		return "", refuse("RAW files are never changed")
	}
	f, err := fsutil.OpenRegular(full, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, photo.SniffLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	if format = photo.Sniff(head[:n]); format != photo.FormatJPEG && format != photo.FormatPNG {
		return "", refuse("only JPEG and PNG are changed, because it can be checked that the picture stays as it is")
	}
	return format, nil
}

// replace has exiftool write a copy of the photo with the XMP, checks it, and puts it in the
// photo's place. Mode, owner, extended attributes and time of the last change stay.
func (p *Photos) replace(r *replacement, full, format string, data []byte, info fs.FileInfo) error {
	if err := r.f.Truncate(0); err != nil {
		return err
	}
	if err := p.copyWith(r.f, full, data); err != nil {
		return err
	}
	if err := p.checkCopy(r.f.Name(), full, format, data); err != nil {
		return err
	}
	if err := keepOwner(r.f, info, true); err != nil {
		return err
	}
	if err := copyAttributes(full, r.f); err != nil {
		return err
	}
	if err := os.Chtimes(r.f.Name(), time.Time{}, info.ModTime()); err != nil {
		return err
	}
	if err := durable.Sync(r.f); err != nil && !durable.Unsupported(err) {
		return err
	}
	beforeRename()
	now, err := os.Lstat(full)
	if err != nil || !os.SameFile(now, info) || !now.ModTime().Equal(info.ModTime()) || now.Size() != info.Size() {
		return errChanged
	}
	if err := os.Rename(r.f.Name(), full); err != nil {
		return err
	}
	return r.f.Close()
}

// copyWith has exiftool write the photo with the XMP to a file.
func (p *Photos) copyWith(to *os.File, full string, data []byte) error {
	block := "-XMP="
	if len(data) > 0 {
		x, err := os.CreateTemp("", "photodesc-*.xmp")
		if err != nil {
			return err
		}
		defer os.Remove(x.Name())
		_, err = x.Write(data)
		if err := errors.Join(err, x.Close()); err != nil {
			return err
		}
		block = "-XMP<=" + x.Name()
	}
	abs, err := filepath.Abs(full)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, embedPatience)
	defer cancel()
	// Without a person's own configuration, which may define tags and run code.
	cmd := exec.CommandContext(ctx, p.exiftool, "-config", "", "-q", "-o", "-", block, abs)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = to, &said
	if err := cmd.Run(); err != nil {
		reason, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		reason, _, _ = strings.Cut(reason, " - "+abs)
		return refuse("exiftool did not write it (%v): %s", err, reason)
	}
	return nil
}

// checkCopy is whether a copy has the XMP and the picture of the photo.
func (p *Photos) checkCopy(copied, full, format string, data []byte) error {
	in, err := p.inside(copied)
	if err != nil {
		return err
	}
	if !bytes.Equal(unwrap(in.Packet), unwrap(data)) {
		return refuse("exiftool wrote other XMP than it was given")
	}
	var sums [2][32]byte
	for i, name := range []string{full, copied} {
		f, err := fsutil.OpenRegular(name, os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		sums[i], err = pictureSum(f, format)
		f.Close()
		if err != nil {
			return refuse("its picture cannot be compared: %v", err)
		}
	}
	if sums[0] != sums[1] {
		return refuse("exiftool changed more than the XMP")
	}
	return nil
}
