package hub

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/disk"
)

// spare is left free on the disk.
const spare = 64 << 20

// room checks that the rest of the file fits on the disk.
func (d *download) room() error {
	err := Room(filepath.Dir(d.dst), d.file.Size-d.have)
	if err != nil && d.have == 0 {
		os.Remove(d.dst + partSuffix)
	}
	return err
}

// Room checks that so many bytes more fit into a folder.
func Room(dir string, bytes int64) error {
	usage, err := disk.Usage(dir)
	if err != nil || bytes <= 0 {
		return nil // it will show
	}
	if need := uint64(bytes); usage.Free < need+min(spare, need) {
		return noRoom(dir, fmt.Sprintf("%s are needed and %s are free", humanize.Bytes(need), humanize.Bytes(usage.Free)))
	}
	return nil
}

func noRoom(dir, why string) error {
	return fmt.Errorf("there is no room in %q: %s\n  make room, or choose another folder with PHOTODESC_MODELS", dir, why)
}
