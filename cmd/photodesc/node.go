package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/cluster"
	"photodesc/internal/config"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
)

const nodeHelp = `Describes photos of a run on another machine. A run that lets others take part
prints the line to type here; docs/cluster.md has all of it.

Nothing else is needed here: photos and, if it is not on this machine, the model
come over the connection, which is encrypted. Photos are kept in a folder of
limited size while they are described, and removed afterwards. With --photos they
are read from a copy on this machine where size, time and both ends agree.

A node may come and go. Ctrl-C, or photodesc stop --node, finishes what is in
flight; a second Ctrl-C gives it back at once. While the run is not up the node
waits; when all photos have their results it ends.

The address holds the run's token. Other users of a machine can see arguments of
commands: --address-file or the variable PHOTODESC_NODE hides it from them.

With a NATS server of your own give its address or --nats-context, and the --run
that photodesc run has printed.

Exit codes: 0 all photos of the run have their results, 1 could not go on or was
refused, 2 wrong usage, 130 stopped.`

// nodeFlags are run's flags that mean something for a node.
var nodeFlags = []string{
	"memory", "workers", "parallel", "threads", "nice", "batch-size", "cooldown", "max-temp", "on-battery", "keep-awake",
	"nats-context", "nats-creds", "nats-ca", "nats-cert", "nats-key", "metrics", "untrusted-loaders", "no-config",
}

// nodeEnv may hold the address of a run.
const nodeEnv = "PHOTODESC_NODE"

// nodeOptions are what only a node has.
type nodeOptions struct {
	addressFile string
	run         string
	name        string
	photos      string
	spool       string
	noProof     bool
	hub         bool
}

func nodeCommand(g *global) *cobra.Command {
	var f config.Flags
	var o nodeOptions
	c := &cobra.Command{
		Use:   "node [flags] [ADDRESS]",
		Short: "Describe photos of a run on another machine",
		Long:  nodeHelp,
		Example: "  photodesc node 'nats://TOKEN@192.168.1.5:4711#FINGERPRINT'\n" +
			"  photodesc node --address-file run.address --memory 8GiB\n" +
			"  photodesc node nats://queue.example.org:4222 --nats-creds me.creds --run ABCDEF123456",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return ui.UsageError("%s wants one address, not %d arguments; in a shell it stands in quotes", c.CommandPath(), len(args))
			}
			return nil
		},
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
	}
	f.Register(c.Flags())
	c.Flags().VisitAll(func(flag *pflag.Flag) { flag.Hidden = flag.Hidden || !slices.Contains(nodeFlags, flag.Name) })
	s := c.Flags()
	s.StringVar(&o.addressFile, "address-file", "", "read the address from `FILE`")
	s.StringVar(&o.run, "run", "", "with a NATS server of your own: `ID` of the run")
	s.StringVar(&o.name, "name", "", "`NAME` of this machine in lists and records; its own by default")
	s.StringVar(&o.photos, "photos", "", "`FOLDER` with a copy of the photos; what differs is fetched")
	s.StringVar(&o.spool, "spool-size", "1GiB", "most `SIZE` of fetched photos together")
	s.BoolVar(&o.hub, "model-from-hub", false, "fetch a missing model from the hub, and from the run only if that has others")
	s.BoolVar(&o.noProof, "no-proof", false, "do not describe a test picture with the built-in model first")
	c.RunE = func(_ *cobra.Command, args []string) error {
		var wrong error
		s.Visit(func(flag *pflag.Flag) {
			if flag.Hidden && wrong == nil {
				wrong = ui.UsageError("--%s is for `photodesc run`: the run says how photos are described", flag.Name)
			}
		})
		if wrong != nil {
			return wrong
		}
		_, set, err := f.Configure(g.dir, s)
		if err != nil {
			return err
		}
		dial, err := o.target(args, f.NATS)
		if err != nil {
			return err
		}
		n := &nodeRun{options: o, dial: dial, base: &runner{dir: g.dir, flags: f, set: set}}
		return n.run()
	}
	return c
}

// dialer connects to the run that a node works for.
type dialer struct {
	shown string // without token and password
	run   string
	dial  func(notify func(error)) (*cluster.Link, error)
}

// target finds out which run is meant.
func (o nodeOptions) target(args []string, flags config.NATSFlags) (d dialer, err error) {
	text := cmp.Or(append(args, "")[0], os.Getenv(nodeEnv))
	if o.addressFile != "" {
		if len(args) > 0 {
			return d, ui.UsageError("give the address or --address-file, not both")
		}
		data, err := fsutil.ReadSmall(o.addressFile, 4<<10)
		if err != nil {
			return d, fmt.Errorf("the address cannot be read: %w", err)
		}
		text = strings.TrimSpace(string(data))
	}
	// The line that a run prints may be given as a whole.
	text = strings.Trim(strings.TrimPrefix(text, "photodesc node "), `'" `)
	flags.URL = text
	switch {
	case text == "" && flags.Context == "":
		return d, ui.UsageError("a node wants the address of a run: the line that `photodesc run DIR --serve` prints there")
	case text != "" && (cluster.IsServed(text) || o.run == "" && !strings.Contains(text, ",") && strings.Contains(text, "@")):
		a, err := cluster.ParseAddress(text)
		if err != nil {
			return d, &ui.Exit{Code: ui.ExitUsage, Err: err}
		}
		return dialer{a.Shown(), "", func(notify func(error)) (*cluster.Link, error) {
			return cluster.Dial(a, cluster.SecretFor(nodeSecret()+machineName(), a.Fingerprint), notify)
		}}, nil
	case strings.Contains(text, "@"):
		return d, ui.UsageError("a password in the address is seen by others, in the list of processes\n  give --nats-creds FILE or --nats-context NAME")
	case o.run == "":
		return d, ui.UsageError("with a NATS server of your own, --run says which run: `photodesc run` has printed it\n  is this the address of a run with --serve? it has a # in it, so it stands in quotes")
	case strings.ContainsAny(o.run, ".*> \t"):
		return d, ui.UsageError("--run %q is no ID of a run", o.run)
	}
	return dialer{shownServers(flags), o.run, func(notify func(error)) (*cluster.Link, error) {
		return cluster.DialOwn(natsTarget(flags), cluster.SecretFor(nodeSecret()+machineName(), o.run), notify)
	}}, nil
}
