package models

import "photodesc/internal/models/hub"

// Listed is a model of the catalogue and its state on this machine.
type Listed struct {
	Entry
	Here    bool  // both files are on this machine
	Files   Files // paths of those that are
	Left    int64 // bytes of unfinished downloads
	Fits    bool  // Memory is within the limit
	Default bool  // used where no model is named
}

// List returns the catalogue with the state of each model. limit is the memory that
// a run may use, in bytes.
func List(limit uint64) []Listed {
	var list []Listed
	for _, e := range Catalogue {
		l := Listed{Entry: e, Fits: e.Memory <= limit, Default: e.Name == Default}
		if e.Repo == "" {
			l.Here = true // unpacked when it is used
		} else if w, err := Find(e.Name, ""); err == nil {
			l.Files, l.Here = w.Files, w.Here()
			for i, at := range []string{w.Text, w.Vision} {
				if dst, err := w.target(w.parts[i]); err == nil && at == "" {
					l.Left += hub.Partial(dst)
				}
			}
		}
		list = append(list, l)
	}
	return list
}

// Smaller returns the name of the largest model for a memory of limit bytes, if that
// is too little for the default model; else it is empty.
func Smaller(limit uint64) string {
	if e, _ := named(Default); e.Memory <= limit {
		return ""
	}
	return largestWithin(limit)
}
