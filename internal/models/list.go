package models

import "photodesc/internal/models/hub"

// Listed is a model of the catalogue as it stands on this machine.
type Listed struct {
	Entry
	Here    bool
	Files   Files // paths of what is here
	Left    int64 // bytes that an unfinished download has left
	Fits    bool  // the memory
	Default bool
}

// List is the catalogue on this machine. limit is the memory that a run may
// use, in bytes.
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
					l.Left += hub.Left(dst)
				}
			}
		}
		list = append(list, l)
	}
	return list
}

// Smaller is the model to use where the memory is too little for the default;
// empty where it is enough, or too little for any.
func Smaller(limit uint64) string {
	if e, _ := named(Default); e.Memory <= limit {
		return ""
	}
	return largestWithin(limit)
}
