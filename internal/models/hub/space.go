package hub

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/disk"
)

// spare is the space in bytes that a download leaves free on the disk.
const spare = 64 << 20

// checkSpace checks that the disk has space for the rest of the file.
func (d *download) checkSpace() error {
	err := CheckSpace(filepath.Dir(d.dst), d.file.Size-d.have)
	if err != nil && d.have == 0 {
		os.Remove(d.dst + partSuffix)
	}
	return err
}

// CheckSpace checks that the file system of a folder has space for more bytes. The
// error says how much is needed and free.
func CheckSpace(dir string, bytes int64) error {
	usage, err := disk.Usage(dir)
	if err != nil || bytes <= 0 {
		return nil // writing will tell
	}
	if need := uint64(bytes); usage.Free < need+min(spare, need) {
		return noSpace(dir, fmt.Sprintf("%s are needed and %s are free", humanize.Bytes(need), humanize.Bytes(usage.Free)))
	}
	return nil
}

func noSpace(dir, why string) error {
	return fmt.Errorf("the disk of %q has too little space: %s\n  free some, or choose another folder with PHOTODESC_MODELS", dir, why)
}
