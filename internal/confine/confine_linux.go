package confine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Apply restricts all threads of this process to reading the given files and folders
// and what the loaded libraries may load later; with gpu, also to the GPUs' devices
// and the system files that drivers read. It does as much of this as the kernel
// supports and returns, for the log, what is in force, also with an error.
func Apply(read []string, gpu bool) (protection string, err error) {
	files, filesErr := restrictFiles(read, gpu)
	calls, callsErr := forbidCalls()
	err = errors.Join(filesErr, callsErr)
	may := "workers can read the photos and nothing else: no writing"
	if gpu {
		may = "workers can read the photos and use the GPU and nothing else: no writing to files"
	}
	switch {
	case files && calls:
		return may + ", no network, no other programs (Landlock, seccomp)", err
	case files && network():
		return may + ", no TCP (Landlock)", err
	case files:
		return may + " (Landlock)", err
	case calls:
		return "workers have no network and start no other programs (seccomp), but can read and write what you can: this kernel has no Landlock", err
	}
	return "none: this kernel has neither Landlock nor seccomp", err
}

// restrictFiles uses Landlock to allow reading read and the libraries' folders and to
// forbid all other files, all writing and TCP. It reports whether this is in force.
func restrictFiles(read []string, gpu bool) (bool, error) {
	if version, err := syscall.LandlockGetABIVersion(); err != nil || version < 1 {
		return false, nil // nothing that anybody could do something about
	}
	var rules []landlock.Rule
	if gpu {
		rules = append(rules, devices()...)
		read = slices.Concat(read, driverFiles)
	}
	for _, p := range slices.Concat(read, libraries()) {
		info, err := os.Stat(p)
		if err != nil {
			continue // what is not there cannot be read either
		}
		rights := landlock.AccessFSSet(syscall.AccessFSReadFile)
		if info.IsDir() {
			rights |= syscall.AccessFSReadDir
		}
		rules = append(rules, landlock.PathAccess(rights, p))
	}
	if err := landlock.V8.BestEffort().Restrict(rules...); err != nil {
		return false, fmt.Errorf("landlock: %w", err)
	}
	return true, nil
}

// network is whether this kernel's Landlock forbids TCP too.
func network() bool {
	version, _ := syscall.LandlockGetABIVersion()
	return version >= 4
}

// lateFiles are where libraries look for what they load when they need it: plug-ins,
// character sets, colour profiles, the number of processors.
var lateFiles = []string{
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share",
	"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
	"/etc/ImageMagick-6", "/etc/ImageMagick-7", // its own limits
	"/sys/devices/system", "/dev/null", "/dev/urandom",
}

// libraries returns lateFiles and the folders from which this process has loaded
// libraries.
func libraries() []string {
	all := slices.Clone(lateFiles)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return all
	}
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		_, file, ok := strings.Cut(s.Text(), "/")
		if dir := filepath.Dir("/" + file); ok && strings.Contains(filepath.Base(file), ".so") && !slices.Contains(all, dir) {
			all = append(all, dir)
		}
	}
	return all
}

// forbidden are the system calls that reach the network, other processes and other
// programs. They fail with EPERM.
var forbidden = []string{
	"socket", "io_uring_setup",
	"execve", "execveat",
	"ptrace", "process_vm_readv", "process_vm_writev",
	"unshare", "setns", "bpf", "perf_event_open", "userfaultfd",
	"add_key", "request_key", "keyctl",
}

// forbidCalls makes them fail by a seccomp filter. It reports whether this is in force.
func forbidCalls() (bool, error) {
	if !seccomp.Supported() {
		return false, nil
	}
	// No new privileges is set for this thread and handed to the others with the filter.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Names: forbidden, Action: seccomp.ActionErrno}},
		},
	}); err != nil {
		return false, fmt.Errorf("seccomp: %w", err)
	}
	// The kernel may refuse a filter without an error that the library sees.
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); !errors.Is(err, unix.EPERM) {
		unix.Close(fd)
		return false, errors.New("seccomp: the filter has no effect")
	}
	return true, nil
}
