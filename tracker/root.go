package tracker

import "math/rand/v2"

// rootSample is how many photos are compared to recognise a photo folder that was moved.
const rootSample = 200

// checkRoot returns a *RootError if the workdir belongs to another photo folder, unless opt.RootMoved says that it was moved.
func checkRoot(dir, have, want string, opt Options) error {
	if have == "" || sameFolder(have, want) {
		return nil
	}
	if opt.RootMoved != nil {
		sample, err := sampleRecords(dir, rootSample)
		if err == nil && len(sample) > 0 && opt.RootMoved(sample) {
			return nil
		}
	}
	return &RootError{Dir: dir, Have: have, Want: want}
}

// sampleRecords returns at most n descriptions whose files can be recognised, by chance.
func sampleRecords(dir string, n int) (sample []Record, err error) {
	met := 0
	err = Find(dir, func(string) bool { return true }, 0, func(r Record) error {
		if r.Status != OK || r.File == nil || r.File.Head == "" {
			return nil
		}
		if met++; len(sample) < n {
			sample = append(sample, r)
		} else if i := rand.IntN(met); i < n {
			sample[i] = r
		}
		return nil
	})
	return sample, err
}
