package confine

import (
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// The nodes by which drivers reach GPUs, for computing: NVIDIA's, those of the
// kernel's own drivers, AMD's. Not /dev/dri/card*, which set the screen.
var deviceNodes = []string{"/dev/nvidia*", "/dev/dri/renderD*", "/dev/kfd", "/dev/dxg"}

// What drivers read of the system, beside their libraries, also long after
// they are loaded.
var driverFiles = []string{
	"/sys/class", "/sys/bus/pci", "/sys/dev/char", "/sys/devices", "/sys/module", "/sys/kernel/mm",
	"/proc/self", "/proc/driver/nvidia", "/proc/cpuinfo", "/proc/meminfo", "/proc/devices", "/proc/modules",
	"/etc/vulkan", "/etc/drirc", "/etc/nvidia", "/usr/local/cuda", "/usr/local/nvidia", "/usr/local/share/vulkan", "/opt/rocm",
}

// devices lets the nodes be opened for reading and writing, and orders be sent
// to them: a driver opens its nodes again while it works.
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
