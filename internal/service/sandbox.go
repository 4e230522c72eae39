package service

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
)

// Systemd's own protection of the run, beside what workers give up themselves (internal/confine). It allows what a run
// does: it starts workers with another niceness, asks logind over the system bus, and fetches models; workers need a GPU's
// devices, whose drivers compile code. So PrivateDevices and MemoryDenyWriteExecute are not here. @system-service of systemd 252
// lacks the calls of Landlock and seccomp, without which workers would lose their own protection.
var (
	// callsOnly works for every user.
	callsOnly = []string{
		"NoNewPrivileges=yes",
		"LockPersonality=yes",
		"RestrictRealtime=yes",
		"RestrictSUIDSGID=yes",
		"RestrictNamespaces=yes",
		"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
		"SystemCallArchitectures=native",
		"SystemCallFilter=@system-service",
		"SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp",
		"SystemCallErrorNumber=EPERM",
	}
	// namespaces need the kernel to let a user have namespaces of their own, which some distributions forbid. Without
	// PrivateUsers a user's systemd 252 fails at others of these lines (status 218) or ignores them.
	namespaces = []string{
		"PrivateUsers=yes",
		"CapabilityBoundingSet=",
		"AmbientCapabilities=",
		"ProtectSystem=strict",
		"ProtectHome=read-only",
		"ProtectKernelTunables=yes",
		"ProtectKernelModules=yes",
		"ProtectKernelLogs=yes",
		"ProtectControlGroups=yes",
		"ProtectClock=yes",
		"ProtectHostname=yes",
	}
)

// tryTime is how long systemd may take to say whether it can protect a service.
const tryTime = 20 * time.Second

// tryProtection asks the user's systemd to start something under the whole protection, and has the unit do with less where
// that fails, since the run would not start at all. It returns why; nil if the unit has all of it.
func (s *Service) tryProtection() error {
	if s.Unprotected != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tryTime)
	defer cancel()
	args := []string{"--user", "--wait", "--collect", "--quiet"}
	for _, line := range slices.Concat(callsOnly, namespaces) {
		args = append(args, "-p", line)
	}
	out, err := exec.CommandContext(ctx, "systemd-run", append(args, "true")...).CombinedOutput()
	if err == nil {
		return nil
	}
	s.lessProtected = true
	if text := strings.TrimSpace(string(out)); text != "" {
		return errors.New(ui.OneLine(text))
	}
	return err
}

// protection returns the lines of the unit that restrict the run to its folders. A command at the end may do anything,
// such as sending mail, so a run with one is not restricted.
func (s *Service) protection() string {
	if s.Unprotected != "" {
		return fmt.Sprintf("\n# Without systemd's protection: %s.\n", s.Unprotected)
	}
	var b strings.Builder
	b.WriteString("\n# Protection by systemd, beside the program's own.\n")
	b.WriteString(strings.Join(callsOnly, "\n") + "\n")
	if s.lessProtected {
		return b.String()
	}
	b.WriteString("# The run reads everything, and writes only what is named here.\n")
	b.WriteString(strings.Join(namespaces, "\n") + "\n")
	writes := append([]string{s.Dir}, s.Writes...)
	if cache, err := fsutil.CacheDir("."); err == nil {
		writes = append(writes, cache)
		// Outside of the protection (+): what is not there when the run starts stays read-only for it, and a cache folder may be
		// deleted. CacheDirectory= would refuse one that is a link to another disk.
		fmt.Fprintf(&b, "ExecStartPre=-+%s\n", systemdCommand([]string{"mkdir", "-p", "-m", "700", filepath.Clean(cache)}))
	}
	temporary := true
	for _, dir := range slices.Compact(writes) {
		// A folder that is not there yet is no error.
		fmt.Fprintf(&b, "ReadWritePaths=%s\n", systemdQuote("-"+systemdPercent(filepath.Clean(dir))))
		temporary = temporary && !within(dir, "/tmp") && !within(dir, "/var/tmp")
	}
	for _, dir := range s.Reads {
		temporary = temporary && !within(dir, "/tmp") && !within(dir, "/var/tmp")
	}
	if temporary {
		b.WriteString("PrivateTmp=yes\n")
	}
	return b.String()
}

// within tells whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
