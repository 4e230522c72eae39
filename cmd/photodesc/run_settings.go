package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"photodesc/internal/config"
	"photodesc/internal/photo"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"
)

// wordSettings are the settings that decide what descriptions say.
func (r *runner) wordSettings() (tracker.Settings, error) {
	model := tracker.Setting{Name: "model", Shown: r.model.Name, Unknown: true}
	if r.model.Here() {
		sum, err := r.model.Fingerprint()
		if err != nil {
			return nil, err
		}
		model.Value, model.Unknown = sum, false
	}
	list := tracker.Settings{model}
	var failed error
	for _, f := range config.SettingFlags(r.flags.Set) {
		switch {
		case slices.Contains(config.NonSemantic, f.Name) || f.Name == "model" || f.Name == "mmproj":
			continue
		case f.Name == "prompt-file":
			continue // what is in it is one of the prompts
		case f.Name == "prompt":
			list = append(list, tracker.Setting{Name: f.Name, Value: r.set.Ask.Asked()})
			continue
		case f.Name == "language" && r.set.Ask.Language != "":
			list = append(list, tracker.Setting{Name: f.Name, Value: string(r.set.Ask.Language)}) // de is DE
			continue
		case r.flags.Temperature == 0 && (f.Name == "seed" || f.Name == "top-p"):
			continue // nothing is drawn
		case !slices.Contains(config.AlwaysRecorded, f.Name) && f.Value.String() == f.DefValue:
			continue
		}
		s := tracker.Setting{Name: f.Name, Value: config.FlagText(f)}
		if slices.Contains(config.FileFlags, f.Name) && s.Value != "" {
			sum, err := config.FileSum(s.Value)
			failed = cmp.Or(failed, err)
			s.Value, s.Shown = sum, s.Value
		}
		list = append(list, s)
	}
	return list, failed
}

// compareSettings compares the run's settings with those of the descriptions that
// exist. If they differ, --redo says what becomes of those. For a model that is not
// here yet it is called a second time when it is.
func (r *runner) compareSettings(ctx context.Context) error {
	s, err := r.wordSettings()
	if err != nil {
		return err
	}
	c := r.track.Changed(s)
	if c.Photos > 0 && r.flags.Redo == config.RedoAsk && !r.flags.Requested {
		there, err := anyThere(ctx, r.source, walkOptions(r.dir, r.set, c.Has), c)
		if err != nil {
			return err
		}
		if there {
			return &ui.Exit{Code: ui.ExitUsage, Err: changedError{s, c, priceText(s, c, r.track.Live().Progress().RateOverall), goOnHint(r.dir, r.goesOn)}}
		}
	}
	if !r.model.Here() {
		return nil
	}
	if c.Photos > 0 && r.flags.Redo != config.RedoAsk && !r.flags.Requested {
		does := "described again" + priceText(s, c, r.track.Live().Progress().RateOverall)
		if r.flags.Redo == config.RedoNever {
			does = "left as they are"
		}
		r.log.Info(fmt.Sprintf("%s described with other settings, %s: %s",
			wording.Count(c.Photos, "photo"), does, strings.Join(changedText(s, c.From[0]), "; ")))
	}
	r.track.Use(s, r.flags.Redo == config.RedoChanged)
	return nil
}

// askMoved asks, as compareSettings does, where moved photos were described with other settings.
func askMoved(r *runner) error {
	if r.flags.Redo != config.RedoAsk || r.flags.Requested || r.watch.again() || len(r.found.living.moved) == 0 {
		return nil
	}
	s, err := r.wordSettings()
	if err != nil {
		return err
	}
	c := r.track.Changed(s)
	for rel := range r.found.living.moved {
		if c.Has(rel) {
			return &ui.Exit{Code: ui.ExitUsage, Err: changedError{s, c, priceText(s, c, r.track.Live().Progress().RateOverall), goOnHint(r.dir, r.goesOn)}}
		}
	}
	return nil
}

var errFound = errors.New("found")

// anyThere is whether one of the photos is still in the photo folder. Descriptions
// of deleted photos are not asked about.
func anyThere(ctx context.Context, source photoSource, opts photo.WalkOptions, c tracker.Changed) (bool, error) {
	err := source.walk(ctx, opts, func(rel string) error {
		if c.Has(rel) {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// changedError ends a run that would mix descriptions made with different settings.
type changedError struct {
	now   tracker.Settings
	c     tracker.Changed
	takes string // how long describing those again takes, "" if not known
	goOn  string // a line of advice, or ""
}

// otherSpeed is the setting for which a workdir's rate says nothing about the settings s, ""
// if there is none: another model or detail may take a hundred times as long.
func otherSpeed(s tracker.Settings, c tracker.Changed) string {
	if c.Photos == 0 || c.From[0].Settings == nil {
		return ""
	}
	for _, d := range s.Differences(c.From[0].Settings) {
		if d.Name == "model" || d.Name == "detail" {
			return d.Name
		}
	}
	return ""
}

// priceText is how long describing the changed photos again takes, with a comma before
// it, as far as the workdir's rate in photos an hour tells.
func priceText(s tracker.Settings, c tracker.Changed, rate float64) string {
	if other := otherSpeed(s, c); other != "" && rate > 0 {
		return fmt.Sprintf(", how long is not known: the %s photos/hour so far are of another %s", ui.RateText(rate), other)
	}
	return takesText(c.Photos, rate)
}

// takesText is how long so many photos take at the rate of this workdir in photos an
// hour, with a comma before it, "" if there is none yet.
func takesText(photos int, rate float64) string {
	if rate <= 0 {
		return ""
	}
	takes := time.Duration(float64(photos) / rate * float64(time.Hour))
	about := "about " + ui.Spell(takes)
	if takes < time.Second {
		about = "in less than a second"
	}
	return fmt.Sprintf(", %s at the %s photos/hour of this workdir so far", about, ui.RateText(rate))
}

// goOnHint says how to go on with the settings of the last run, unless this run does.
func goOnHint(dir string, goesOn bool) string {
	if goesOn {
		return ""
	}
	return "\n  without DIR      a run goes on with the settings of the last one: " + ui.CommandLine(dir, "run")
}

func (e changedError) Error() string {
	var b strings.Builder
	most := e.c.From[0]
	fmt.Fprintf(&b, "this workdir has %s made with other settings", wording.Count(e.c.Photos, "description"))
	for _, line := range changedText(e.now, most) {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	if more := e.c.Photos - most.Photos; more > 0 {
		fmt.Fprintf(&b, "\n    (so much of %s; the rest differs otherwise)", wording.Count(most.Photos, "photo"))
	}
	b.WriteString("\n  --redo changed   describes " + wording.Count(e.c.Photos, "photo") + " again" + e.takes + "; nothing that is written is lost" +
		"\n  --redo never     leaves them as they are and describes what is left" +
		"\n  -C OTHER         takes another workdir" + e.goOn)
	return b.String()
}

// changedText says what changed, a line for each setting.
func changedText(now tracker.Settings, old tracker.DescribedWith) (lines []string) {
	if old.Settings == nil {
		return []string{"which ones cannot be told: their file in " + tracker.OutputsName + " is gone"}
	}
	show := func(s string) string {
		if s == "" {
			return "(default)"
		}
		return ui.Fit(ui.OneLine(s), 60)
	}
	for _, d := range now.Differences(old.Settings) {
		lines = append(lines, fmt.Sprintf("%s: %s → %s", d.Name, show(d.From), show(d.To)))
	}
	return lines
}
