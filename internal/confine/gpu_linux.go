package confine

import (
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// deviceNodes are what drivers open to compute on a GPU: of NVIDIA, of the kernel's own
// drivers, of AMD, of Windows' subsystem. /dev/dri/card* control screens and are left out.
var deviceNodes = []string{"/dev/nvidia*", "/dev/dri/renderD*", "/dev/kfd", "/dev/dxg"}

// The system files that drivers read, also long after they are loaded.
var driverFiles = []string{
	"/sys/class", "/sys/bus/pci", "/sys/dev/char", "/sys/devices", "/sys/module", "/sys/kernel/mm",
	"/proc/self", "/proc/driver/nvidia", "/proc/cpuinfo", "/proc/meminfo", "/proc/devices", "/proc/modules",
	"/etc/vulkan", "/etc/drirc", "/etc/nvidia", "/usr/local/cuda", "/usr/local/nvidia", "/usr/local/share/vulkan", "/opt/rocm",
}

// devices allows opening the nodes for reading and writing and ioctl calls on them: a
// driver opens its nodes again while it works.
func devices() (rules []landlock.Rule) {
	const rights = syscall.AccessFSReadFile | syscall.AccessFSWriteFile | syscall.AccessFSIoctlDev
	for _, pattern := range deviceNodes {
		nodes, _ := filepath.Glob(pattern) // the patterns are fixed
		for _, n := range nodes {
			rules = append(rules, landlock.PathAccess(rights, n))
		}
	}
	return rules
}
