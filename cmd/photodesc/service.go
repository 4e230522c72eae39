package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"photodesc/internal/config"
	"photodesc/internal/fsutil"
	"photodesc/internal/service"
	"photodesc/internal/ui"
)

const serviceHelp = `A service of the user (systemd on Linux, launchd on macOS) that goes on with the
run at every login, until all photos are described, and describes photos that
have been added since; with --watch it stays and describes what comes. It stops in good order when the computer shuts down.`

const serviceInstallHelp = `Writes the service for this workdir and photo folder, with the flags given, which
are those of run, and says how to start it. Without DIR the service goes on with
the folder and the settings of the last run; flags that are given change only what
they name. Installing again replaces it.`

func serviceCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Go on with the run at every login",
		Long:  serviceHelp,
		Args:  unknownCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var f config.Flags
	install := &cobra.Command{
		Use:     "install [run flags] [DIR]",
		Short:   "Write a service that goes on with the run",
		Long:    serviceInstallHelp,
		Example: "  photodesc -C ~/descriptions service install\n  photodesc -C ~/descriptions service install --model smolvlm ~/Pictures\n  photodesc -C ~/descriptions service install --watch --on-battery pause",
		Args:    runArgs,

		ValidArgsFunction:     oneFolder,
		DisableFlagsInUseLine: true,
	}
	f.Register(install.Flags())
	hidePassing(install)
	install.RunE = func(c *cobra.Command, args []string) error {
		dir, err := folderOrLast(install, args, g.dir, &f)
		if err != nil {
			return err
		}
		cfg, _, err := f.Configure(g.dir, install.Flags())
		if err != nil {
			return err
		}
		if err := rememberEndpoint(cfg, install.Flags(), dir); err != nil {
			return err
		}
		if f.Background || f.Json || f.Limit > 0 || f.RetryFailed || f.DryRun || f.FilesFrom != "" {
			return ui.UsageError("--background, --json, --limit, --retry-failed, --files-from and --dry-run make no sense for a service")
		}
		root, err := photoPlace(dir)
		if err != nil {
			return err
		}
		s, err := service.New(g.dir)
		if err != nil {
			return err
		}
		s.Args = append(append([]string{"-C", s.Dir, "run"}, config.ResumeArgs(install.Flags())...), root)
		s.StopTime = service.StopTime(f.Timeout)
		if config.IsGiven(install.Flags().Lookup("nice")) {
			s.Nice = f.Nice
		}
		s.Reads = []string{root}
		if f.XMP {
			s.Writes = append(s.Writes, root)
		}
		if models := os.Getenv("PHOTODESC_MODELS"); models != "" {
			s.Writes = append(s.Writes, models)
		}
		if f.OnFinish != "" {
			s.Unprotected = "what --on-finish starts may need more, such as sending mail"
		}
		if err := s.Install(c); err != nil {
			return err
		}
		if fsutil.IsBucket(root) && os.Getenv("AWS_SECRET_ACCESS_KEY") != "" {
			fmt.Fprintln(c.OutOrStdout(), "Access keys of the environment are not in the service: others can read its file. Put them into ~/.aws/credentials.")
		}
		return nil
	}
	remove := &cobra.Command{
		Use:   "remove",
		Short: "Remove the service of this workdir; a run that is up is left alone",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := service.New(g.dir)
			if err != nil {
				return err
			}
			return s.Remove(c)
		},
	}
	c.AddCommand(install, remove)
	return c
}

// hidePassing hides flags that belong to one run only.
func hidePassing(c *cobra.Command) {
	for _, name := range config.OneRunFlags {
		if flag := c.Flags().Lookup(name); flag != nil {
			flag.Hidden = true
		}
	}
}
