package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"photodesc/internal/browse"
	"photodesc/internal/fsutil"
	"photodesc/internal/models"
	"photodesc/internal/preview"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/tracker"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

const browseHelp = `Opens a page on which the photos of the workdir can be looked through, searched
and corrected, and on which the run can be watched. A run may be working
meanwhile.

The page is served by this program on this machine alone: the address is
127.0.0.1 and holds a key that changes each time. Nothing leaves the machine.
Over SSH it says which tunnel to type. Ctrl-C ends it.

A correction is a line of outputs/corrections.jsonl. It counts in place of the
model's words in show, search and exports, and stays when the photo is described
again. Previews are kept in the cache folder, at most as many as --cache says.`

type browseFlags struct {
	port   int
	noOpen bool
	cache  string
}

func browseCommand(g *global) *cobra.Command {
	var f browseFlags
	c := &cobra.Command{
		Use:     "browse",
		Short:   "Look through the photos on a page: search, correct, watch the run",
		Long:    browseHelp,
		Example: "  photodesc browse\n  photodesc -C ~/descriptions browse --no-open --port 8017",
		Args:    exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			limit, err := humanize.ParseBytes(f.cache)
			switch {
			case f.port < 0 || f.port > 65535:
				return ui.UsageError("--port: %d is not a port; give one from 1024 to 65535, or 0 for a free one", f.port)
			case err != nil || limit > 1<<50:
				return ui.UsageError("--cache: %q is not a size as 500MB or 4GiB", f.cache)
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			if !s.HasRun {
				return fmt.Errorf("no run has worked in %q, so there are no photos to show\n  begin one with `%s`, or name its workdir with -C", g.dir, ui.CommandLine(g.dir, "run", "DIR"))
			}
			return serveBrowse(c.OutOrStdout(), g.dir, s, f, int64(limit))
		},
	}
	c.Flags().IntVar(&f.port, "port", 0, "the `PORT` of the page; 0 takes a free one")
	c.Flags().BoolVar(&f.noOpen, "no-open", false, "do not open the browser")
	c.Flags().StringVar(&f.cache, "cache", humanize.IBytes(preview.DefaultLimit), "keep at most this `SIZE` of previews; 0 keeps none")
	return c
}

func serveBrowse(w io.Writer, dir string, s tracker.Snapshot, f browseFlags, limit int64) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root, err := tracker.DecodePath(s.Root)
	if err != nil {
		root = ""
	}
	warn := func(text string) { fmt.Fprintf(os.Stderr, "photodesc: %s\n", text) }
	if root == "" {
		warn("the workdir does not say where the photos are: descriptions are shown without pictures; the next run says it")
	}
	if fsutil.IsBucket(root) {
		warn(fmt.Sprintf("the photos lie in %s: descriptions are shown without pictures", root))
		root = ""
	}
	maker := preview.NewMaker(preview.Options{Command: func() (*exec.Cmd, error) { return previewWorker(root) }, Workers: min(2, max(1, runtime.NumCPU()-1))})
	defer maker.Close()
	o := browse.Options{Dir: fsutil.Resolve(dir), Root: root, Port: f.port, Previews: maker, CacheLimit: limit,
		FileNow:    func(p tracker.Photo) *tracker.PhotoFile { return fileNow(s, p) },
		RunCommand: runCommandLine(dir, s), RetryCommand: runCommandLine(dir, s, "--retry-failed"), Version: version, Warn: warn}
	o.RequestsCommand = ui.RequestsCommand
	o.Models = modelsHere(s.Model)
	if o.CacheDir, o.Catalogue, err = browseCache(o.Dir); err != nil {
		warn(fmt.Sprintf("previews are not kept: %v", err))
	}
	if limit == 0 {
		o.CacheDir = ""
	}
	server, err := browse.Listen(o)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use by another program\n  choose another with --port, or leave it out for a free one", f.port)
	}
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("port %d is reserved for the system\n  choose one above 1023 with --port, or leave it out for a free one", f.port)
	}
	if err != nil {
		return fmt.Errorf("the page cannot be served: %w", err)
	}
	fmt.Fprintf(w, "%s\n", server.Address())
	sayHow(w, server.Port(), server.LaunchAddress(), f)
	return server.Serve(ctx)
}

// modelsHere are the names of models that are on this machine, that of the last run first.
func modelsHere(last string) (names []string) {
	if last != "" {
		names = append(names, last)
	}
	for _, m := range models.List(1 << 62) {
		if m.Here && m.Name != last {
			names = append(names, m.Name)
		}
	}
	return names
}

// sayHow opens the browser, or says how to get to the page.
func sayHow(w io.Writer, port int, launch string, f browseFlags) {
	switch {
	case os.Getenv("SSH_CONNECTION") != "":
		sayTunnel(w, "You are here over SSH.", port)
	case !f.noOpen:
		switch err := openBrowser(launch); {
		case errors.Is(err, errNoDisplay):
			sayTunnel(w, "There is no display here.", port)
		case err != nil:
			fmt.Fprintf(w, "Open this address in a browser on this machine (%v).\n", err)
		}
	}
	fmt.Fprintln(w, "Ctrl-C ends it.")
}

// sayTunnel says what to type on the machine that has a browser.
func sayTunnel(w io.Writer, why string, port int) {
	fmt.Fprintf(w, "%s On the machine with your browser, type\n    ssh -N -L %d:127.0.0.1:%d %s\nand open the address above there.\n",
		why, port, port, sshTarget(os.Getenv("SSH_CONNECTION")))
}

// errNoDisplay is that no browser can be opened, and that the one that is meant is probably on another machine.
var errNoDisplay = errors.New("there is no display here")

// sshTarget is what a person gives ssh to come here: the user, and the address at which ssh came in or,
// without SSH, this machine's name.
func sshTarget(connection string) string {
	host, name := "HOST", "USER"
	if own, err := os.Hostname(); err == nil && own != "" {
		host = own
	}
	if fields := strings.Fields(connection); len(fields) == 4 {
		host = fields[2]
	}
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return ui.QuoteWord(name + "@" + host)
}

// openBrowser has the system open an address. It does not wait for the browser.
func openBrowser(address string) error {
	var cmd *exec.Cmd
	switch {
	case runtime.GOOS == "darwin":
		cmd = exec.Command("open", address)
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" && os.Getenv("BROWSER") == "" && os.Getenv("WSL_DISTRO_NAME") == "":
		return errNoDisplay
	default:
		cmd = exec.Command("xdg-open", address)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for the browser
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// previewWorker is the command of a worker that makes previews. It may read the photo folder alone.
func previewWorker(root string) (*exec.Cmd, error) {
	if root == "" {
		return nil, errors.New("the photo folder is not known")
	}
	root = fsutil.Resolve(root)
	return worker.Command(worker.Config{Root: storage.RawPath(root), Previews: true, MaxBytes: 1 << 30})
}

// browseCache is where previews and the list of photos of a workdir are kept.
func browseCache(dir string) (previews, catalogue string, err error) {
	if previews, err = fsutil.CacheDir("previews"); err != nil {
		return "", "", err
	}
	lists, err := fsutil.CacheDir("browse")
	sum := sha256.Sum256([]byte(dir))
	return previews, filepath.Join(lists, hex.EncodeToString(sum[:12])), err
}

// runCommandLine is the command that goes on with the run of a workdir.
func runCommandLine(dir string, s tracker.Snapshot, flags ...string) string {
	args := append([]string{"run"}, flags...)
	if len(s.Args) == 0 { // there are no settings to go on with
		args = append(args, cmp.Or(s.Root, "DIR"))
	}
	return ui.CommandLine(dir, args...)
}
