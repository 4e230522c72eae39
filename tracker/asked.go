package tracker

// AddAsked records the answer to a request, with the settings that it was made with. Unlike Add it does so, too, for a photo that is
// described already. A failure of such a photo is left out: it stays described. The errors are those of Add.
func AddAsked(t *Tracker, s Settings, r Record) error {
	if r.Status != OK && t.Done(r.Path) {
		return nil
	}
	if err := s.save(t.fs, t.dir); err != nil {
		return err
	}
	r.Settings, r.asked = s.ID(), true
	return t.Add(r)
}

// Known is whether the photo was described or failed, now or in an earlier run.
func (of Files) Known(path string) bool {
	k := keyOf(path)
	of.t.mu.Lock()
	defer of.t.mu.Unlock()
	_, failed := of.t.failures[k]
	_, retrying := of.t.retrying[k]
	return failed || retrying || of.t.photos[k].described()
}
