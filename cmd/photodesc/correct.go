package main

import (
	"io"
	"slices"
	"strings"

	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/tracker"

	"github.com/spf13/cobra"
)

const correctHelp = `Says in your own words what is on a photo. Your words count instead of the
model's, for search, show and exports, also when the photo is described again;
the model's own stay in the outputs. What you do not name stays as it is.

    photodesc correct a.jpg --description "Our dog Rex on the beach"
    photodesc correct a.jpg --keywords dog,Rex,beach
    photodesc correct a.jpg --remove    the model's words again

PATH is a photo that was described or failed, named as for show. This works
while a run does.`

type correctFlags struct {
	description string
	keywords    string
	remove      bool
}

func correctCommand(g *global) *cobra.Command {
	var f correctFlags
	c := &cobra.Command{
		Use:   "correct PATH",
		Short: "Put your own words in the place of the model's",
		Long:  correctHelp,
		Args:  exactly(1, "the path of one photo"),

		ValidArgsFunction: files,

		RunE: func(c *cobra.Command, args []string) error {
			described, listed := c.Flags().Changed("description"), c.Flags().Changed("keywords")
			switch {
			case f.remove && (described || listed):
				return ui.UsageError("--remove takes all of a correction back; leave the other flags out")
			case !f.remove && !described && !listed:
				return ui.UsageError("there is nothing to correct; give --description or --keywords, or --remove to take a correction back")
			case described && strings.TrimSpace(f.description) == "":
				return ui.UsageError("--description is empty; --remove takes a correction back")
			}
			s, err := ui.Peek(g.dir)
			if err != nil {
				return err
			}
			return correct(c.OutOrStdout(), s, args[0], func(correction *tracker.Correction) {
				if f.remove {
					*correction = tracker.Correction{Path: correction.Path}
				}
				if described {
					correction.Description = f.description
				}
				if listed {
					correction.Keywords = splitKeywords(f.keywords)
				}
			})
		},
	}
	c.Flags().StringVar(&f.description, "description", "", "the description, as `TEXT`")
	c.Flags().StringVar(&f.keywords, "keywords", "", "the keywords, a `LIST` with commas; \"\" is none")
	c.Flags().BoolVar(&f.remove, "remove", false, "take your words back: the model's count again")
	return c
}

// splitKeywords is never nil: an empty list means that there are none.
func splitKeywords(list string) []string {
	keywords := []string{}
	for k := range strings.SplitSeq(list, ",") {
		if k = strings.TrimSpace(k); k != "" {
			keywords = append(keywords, k)
		}
	}
	return keywords
}

func correct(w io.Writer, s tracker.Snapshot, arg string, edit func(*tracker.Correction)) error {
	photo, err := onePhoto(s, arg)
	if err != nil {
		return err
	}
	_, err = tracker.EditCorrection(s.Dir, photo.Path, func(c *tracker.Correction) error {
		if before := c.Apply(photo.Record); !before.Corrected() { // it was of another picture under this path
			*c = tracker.Correction{Path: c.Path}
		}
		edit(c)
		if c.File = fileNow(s, photo); c.File != nil {
			c.Picture = c.File.Picture
		}
		return nil
	})
	if err != nil {
		return err
	}
	return show(w, s, []string{arg}, 0, false)
}

// onePhoto is the photo that a person named.
func onePhoto(s tracker.Snapshot, arg string) (photo tracker.Photo, err error) {
	names := newShownPaths(s.Root, []string{arg}).names[0].paths
	found := false
	inside := 0
	for p, err := range tracker.Photos(s.Dir, tracker.Select{Match: newShownPaths(s.Root, []string{arg}).match}) {
		switch {
		case err != nil:
			return photo, err
		case !slices.Contains(names, p.Path):
			inside++
		case !found || slices.Index(names, p.Path) < slices.Index(names, photo.Path):
			photo, found = p, true
		}
	}
	switch {
	case found:
		return photo, nil
	case inside > 0:
		return photo, ui.UsageError("%q is a folder; name one photo in it", arg)
	}
	return photo, notShown(s, []string{arg})
}

// fileNow is the file of a photo as it is now or, if it cannot be seen, as it was when it was described.
func fileNow(s tracker.Snapshot, photo tracker.Photo) *tracker.PhotoFile {
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return photo.File
	}
	file, err := fileAt(fsutil.Join(root, photo.Path))
	if err != nil {
		return photo.File
	}
	return file
}
