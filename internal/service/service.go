// Package service writes the units by which systemd and launchd go on with a
// run, and tells systemd how a run is.
package service

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// Service is what keeps the run of one workdir going.
type Service struct {
	name   string // of the unit or agent
	file   string // that describes it
	Dir    string // workdir, absolute
	binary string
	Args   []string
	env    []string // NAME=value, what the models are found by

	// StopTime is how long the run may take to stop by itself; 0 is any time.
	StopTime time.Duration

	Nice int // of the run and its workers

	Reads, Writes []string // folders that the run needs beside the workdir and the cache, absolute
	Unprotected   string   // why systemd must not restrict the run; empty if it may
	lessProtected bool     // systemd cannot give it folders of its own
}

// StopTime is how long a run with a time limit for each photo may take to
// finish the photos in flight and to leave.
func StopTime(photo time.Duration) time.Duration {
	if photo == 0 {
		return 0
	}
	return photo + time.Minute
}

// DefaultNice is a service's niceness unless told otherwise.
const DefaultNice = 10

// keptEnv are variables that matter to a run and that a service manager does
// not know of. Secrets are not among them: the file can be read by others.
var keptEnv = []string{"PHOTODESC_MODELS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HTTPS_PROXY", "NO_PROXY",
	"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED"}

// New returns the service of a workdir. It writes nothing.
func New(workdir string) (*Service, error) {
	dir, err := filepath.Abs(workdir)
	if err != nil {
		return nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	s := &Service{name: serviceName(dir), Dir: dir, binary: binary, Nice: DefaultNice}
	for _, name := range keptEnv {
		if value := os.Getenv(name); value != "" {
			s.env = append(s.env, name+"="+value)
		}
	}
	if runtime.GOOS == "darwin" {
		s.file = filepath.Join(home, "Library", "LaunchAgents", s.name+".plist")
		return s, nil
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	s.file = filepath.Join(config, "systemd", "user", s.name+".service")
	return s, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// serviceName is the workdir's own: another workdir of the same name has
// another one.
func serviceName(dir string) string {
	word := strings.Trim(notInNames.ReplaceAllString(filepath.Base(dir), "-"), "-")
	if word == "" {
		word = "workdir"
	}
	return fmt.Sprintf("photodesc-%.40s-%x", word, sha256.Sum256([]byte(dir)))[:len("photodesc-")+min(len(word), 40)+1+8]
}

// Install writes the unit or launch agent and prints how to start it.
func (s *Service) Install(c *cobra.Command) error {
	if err := os.MkdirAll(filepath.Join(s.Dir, tracker.LogsName), 0o755); err != nil {
		return &tracker.WriteError{Op: "create", Path: s.Dir, Err: err}
	}
	// What is not there when the service starts stays read-only for it.
	if cache, err := fsutil.CacheDir("."); err == nil {
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return fmt.Errorf("cannot make the cache folder: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o755); err != nil {
		return fmt.Errorf("cannot write the service: %w", err)
	}
	if runtime.GOOS == "linux" {
		if err := s.tryProtection(); err != nil {
			fmt.Fprintf(c.ErrOrStderr(), "The unit does without the protection by systemd that needs namespaces, since trying it failed here: %v.\nThe program's own protection is as ever.\n", err)
		}
	}
	text, err := s.text()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(s.file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("cannot write the service: %w", err)
	}
	w := c.OutOrStdout()
	fmt.Fprintf(w, "Written: %s\n", s.file)
	if runtime.GOOS != "darwin" {
		if _, err := exec.LookPath("systemctl"); err != nil {
			fmt.Fprintln(c.ErrOrStderr(), "There is no systemd here (no systemctl in PATH), so nothing starts it by itself.\nWith cron or another service manager, let this be started at boot:\n    "+ui.CommandLine("", s.Args...))
			return nil
		}
	}
	s.reload(c)
	fmt.Fprintln(w, "Start it now and at every login:")
	for _, line := range s.startCommands() {
		fmt.Fprintf(w, "    %s\n", line)
	}
	fmt.Fprintf(w, "Watch it:\n    %s\n", ui.CommandLine(s.Dir, "status", "--watch"))
	fmt.Fprintf(w, "Remove it:\n    %s\n", ui.CommandLine(s.Dir, "service", "remove"))
	return nil
}

// Remove deletes the unit or launch agent. A run that is up goes on.
func (s *Service) Remove(c *cobra.Command) error {
	w := c.OutOrStdout()
	if _, err := os.Stat(s.file); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w, "There is no service for this workdir (%s).\n", s.file)
		return nil
	}
	s.disable(c)
	if err := os.Remove(s.file); err != nil {
		return err
	}
	fmt.Fprintf(w, "Removed: %s\n", s.file)
	s.reload(c)
	if running, pid, _ := tracker.Running(s.Dir); running {
		fmt.Fprintf(w, "The run that is up (pid %d) goes on; end it with\n    %s\n", pid, ui.CommandLine(s.Dir, "stop"))
	}
	return nil
}

// text is the file that describes the service. It fails if a path or an argument has a character that the file cannot hold.
func (s *Service) text() (string, error) {
	holds, write := s.unitHolds, s.systemdUnit
	if runtime.GOOS == "darwin" {
		holds, write = plistHolds, s.launchdPlist
	}
	for _, text := range slices.Concat([]string{s.Dir, s.binary}, s.Args, s.env, s.Writes) {
		if !utf8.ValidString(text) || !holds(text) {
			return "", fmt.Errorf("cannot write the service: its file cannot hold %q as it is; name it otherwise", text)
		}
	}
	return write(), nil
}

func (s *Service) startCommands() []string {
	if runtime.GOOS == "darwin" {
		return []string{fmt.Sprintf("launchctl bootstrap gui/%d %s", os.Getuid(), ui.QuoteWord(s.file))}
	}
	return []string{
		"systemctl --user enable --now " + s.name,
		"loginctl enable-linger    # to have it run before you log in, too",
	}
}

// reload makes systemd read its files again. launchd does so by itself.
func (s *Service) reload(c *cobra.Command) {
	if runtime.GOOS != "darwin" {
		s.manage(c, "systemctl", "--user", "daemon-reload")
	}
}

// disable takes back what enable has linked. launchd has nothing of the kind.
func (s *Service) disable(c *cobra.Command) {
	if runtime.GOOS != "darwin" {
		s.manage(c, "systemctl", "--user", "disable", s.name)
	}
}

// manage runs a command of the service manager. Where that is not possible it
// says what was left undone: the file is what counts.
func (s *Service) manage(c *cobra.Command, command ...string) {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err == nil {
		return
	}
	why := ui.OneLine(string(out))
	if why == "" {
		why = err.Error()
	}
	fmt.Fprintf(c.ErrOrStderr(), "Not done: %s (%s)\n", strings.Join(command, " "), why)
}
