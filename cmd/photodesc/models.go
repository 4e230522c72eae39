package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"photodesc/internal/machine"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/models"
	"photodesc/internal/prompts"
	"photodesc/internal/ui"
)

func modelsCommand(g *global) *cobra.Command {
	var asJSON, long bool
	show := func(c *cobra.Command, _ []string) error { return listModels(c.OutOrStdout(), g.dir, asJSON, long) }
	c := &cobra.Command{
		Use:   "models",
		Short: "List the models, fetch one, say where one is",
		Long:  modelsHelp,
		Args:  unknownCommand,
		RunE:  show,
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the models (what `models` alone does)",
		Long:  modelsHelp,
		Args:  exactly(0, "no argument"),
		RunE:  show,
	}
	for _, f := range []*cobra.Command{c, list} {
		f.Flags().BoolVar(&asJSON, "json", false, "as JSON")
		f.Flags().BoolVarP(&long, "long", "l", false, "with files, repository and licence")
	}
	c.AddCommand(list,
		&cobra.Command{
			Use:     "pull NAME",
			Short:   "Fetch a model now; check and mend one that is here",
			Long:    modelsHelp,
			Example: "  photodesc models pull smolvlm-256m\n  photodesc models pull ggml-org/SmolVLM-Instruct-GGUF:Q8_0",
			Args:    exactly(1, "the name of one model"),

			ValidArgsFunction: completeModelName,

			RunE: func(c *cobra.Command, args []string) error { return pullModel(c.OutOrStdout(), args[0]) },
		},
		&cobra.Command{
			Use:   "path NAME",
			Short: "Print where the two files of a model are",
			Args:  exactly(1, "the name of one model"),

			ValidArgsFunction: completeModelName,

			RunE: func(c *cobra.Command, args []string) error { return printModelPath(c.OutOrStdout(), args[0]) },
		})
	return c
}

// listModels lists the models for a run in a workdir with no flags.
func listModels(w io.Writer, dir string, asJSON, long bool) error {
	var f config.Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	held, s, err := f.Configure(dir, set)
	if err != nil {
		return err
	}
	total, _, err := machine.TotalMemory()
	if err != nil {
		return err
	}
	budget := s.Memory
	list, named := models.List(budget), false
	for i := range list {
		list[i].Default = list[i].Name == f.Model
		named = named || list[i].Default
	}
	switch {
	case asJSON:
		return writeModelsJSON(w, list, budget)
	case long:
		writeModelsLong(w, list)
	default:
		writeModels(ui.Colors(w), list)
	}
	fmt.Fprintln(w)
	if from, set := held.Sources["model"]; set {
		fmt.Fprintf(w, "`run` takes %s, as %s says.\n", f.Model, ui.AtHome(from.Place))
	}
	if named {
		fmt.Fprint(w, "* is what `run` takes unless --model names another; it is fetched when first\nneeded. ")
	}
	fmt.Fprintf(w, "A run may use %s of memory, %s of this machine's %s.\n", humanize.IBytes(budget), f.Memory, humanize.IBytes(total))
	if hint := models.Smaller(budget); hint != "" && f.Model == models.Default {
		fmt.Fprintf(w, "%s needs more than that. On this machine: run --model %s\n", models.Default, hint)
	}
	if dir, err := models.Dir(); err == nil {
		fmt.Fprintf(w, "Fetched models go to %s.\n", dir)
	}
	return nil
}

func writeModels(w io.Writer, list []models.Listed) {
	row := "%s %-14s %7s %9s  %-4s  %-4s  %s\n"
	fmt.Fprint(w, ui.StyleBold.Render(fmt.Sprintf(row[:len(row)-1], " ", "NAME", "SIZE", "MEMORY", "HERE", "FITS", "GOOD FOR")), "\n")
	for _, l := range list {
		mark, fits := " ", "yes"
		if l.Default {
			mark = "*"
		}
		if !l.Fits {
			fits = "no"
		}
		fmt.Fprintf(w, row, mark, l.Name, humanize.Bytes(uint64(l.Size())), humanize.IBytes(l.Memory), here(l), fits, l.Good)
	}
}

// here says how much of a model is on this machine.
func here(l models.Listed) string {
	have := l.Left
	if l.Files.Text != "" {
		have += l.Text.Size
	}
	if l.Files.Vision != "" {
		have += l.Vision.Size
	}
	switch {
	case l.Here:
		return "yes"
	case have > 0:
		return fmt.Sprintf("%d%%", min(100*have/max(l.Size(), 1), 99))
	}
	return "no"
}

func writeModelsLong(w io.Writer, list []models.Listed) {
	for i, l := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		name := l.Name
		if l.Default {
			name += " *"
		}
		fmt.Fprintf(w, "%s: %s\n", name, l.Good)
		line := func(what, text string) { fmt.Fprintf(w, "  %-9s %s\n", what, text) }
		line("size", fmt.Sprintf("%s, %s of memory", humanize.Bytes(uint64(l.Size())), humanize.IBytes(l.Memory)))
		if l.Repo != "" {
			line("from", l.Repo)
		}
		for _, p := range []models.Part{l.Text, l.Vision} {
			line("file", fmt.Sprintf("%s, %s, %s", p.File, p.Type, humanize.Bytes(uint64(p.Size))))
		}
		line("language", languagesText(l.Languages))
		line("licence", l.Licence)
		line("here", here(l))
		for _, path := range []string{l.Files.Text, l.Files.Vision} {
			if path != "" {
				line("", path)
			}
		}
	}
}

// languagesText is a model's languages for people.
func languagesText(tags []string) string {
	if slices.Equal(tags, []string{"mul"}) {
		return "many; ask for one with --language"
	}
	var names []string
	for _, tag := range tags {
		names = append(names, prompts.Language(tag).Name())
	}
	return strings.Join(names, ", ") + " only"
}

// modelsJSON is the list for programs.
type modelsJSON struct {
	Budget uint64      `json:"memory_budget"` // that a run may use, bytes
	Dir    string      `json:"folder,omitempty"`
	Models []modelJSON `json:"models"`
}

// modelJSON is a model of the list.
type modelJSON struct {
	Name    string          `json:"name"`
	Default bool            `json:"default"`
	Repo    string          `json:"repository,omitempty"`
	Files   []modelFileJSON `json:"files"`
	Size    int64           `json:"size"`   // bytes of both files
	Memory  uint64          `json:"memory"` // bytes that describing takes at least
	Licence string          `json:"licence"`
	Good    string          `json:"good_for"`
	Speaks  []string        `json:"languages"` // BCP-47 tags of the languages it answers in; mul is many
	Here    bool            `json:"here"`
	Fits    bool            `json:"fits"`
}

type modelFileJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Path string `json:"path,omitempty"`
}

func writeModelsJSON(w io.Writer, list []models.Listed, budget uint64) error {
	out := modelsJSON{Budget: budget}
	out.Dir, _ = models.Dir()
	for _, l := range list {
		out.Models = append(out.Models, modelJSON{
			Name: l.Name, Default: l.Default, Repo: l.Repo, Size: l.Size(), Memory: l.Memory,
			Licence: l.Licence, Good: l.Good, Speaks: l.Languages, Here: l.Here, Fits: l.Fits,
			Files: []modelFileJSON{
				{l.Text.File, l.Text.Type, l.Text.Size, l.Files.Text},
				{l.Vision.File, l.Vision.Type, l.Vision.Size, l.Files.Vision},
			},
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func pullModel(out io.Writer, name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	f := ui.NewFetching(ui.NewProgress(os.Stderr), nil)
	files, err := models.Pull(ctx, name, models.Options{Progress: f}, f.Say)
	f.Close()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return &ui.Exit{Code: ui.ExitStopped, Err: errors.New("stopped on request; the same command goes on where it was")}
		}
		return err
	}
	fmt.Fprintf(out, "%s\n%s\n", files.Text, files.Vision)
	return nil
}

func printModelPath(out io.Writer, name string) error {
	w, err := models.Find(name, "")
	if err != nil {
		return err
	}
	if !w.Here() {
		return fmt.Errorf("model %s is not on this machine\n  `photodesc models pull %s` fetches it", name, name)
	}
	fmt.Fprintf(out, "%s\n%s\n", filepath.Clean(w.Text), filepath.Clean(w.Vision))
	return nil
}
