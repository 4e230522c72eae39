package tracker

import "strings"

// summing is a summary in the making.
type summing struct {
	Summary
	photos       []figure
	at           map[key]uint32 // where in photos
	settingsIDs  *settingsIDs
	failed       map[key]FailedPhoto
	failuresOnly bool
	lines        map[string]int

	finishes names[Finish]
	models   names[string]
	nodes    names[string]
}

// figure is the newest description of a photo in numbers, small because there
// may be a million.
type figure struct {
	stages               [5]float32 // seconds: decode, encode, prompt, generate, total
	words, tokens, tiles float32
	further              float32 // tokens of the answers to further prompts
	finish, model, node  uint8   // numbers of their names
	settingsID           uint16  // number of its settings
	retried, blank       bool
	refailed             bool // it failed with other settings since
	shared               bool // its words are another photo's
}

func newSumming() *summing {
	return &summing{
		Summary: Summary{Finish: map[Finish]int{}, Models: map[string]int{}, Nodes: map[string]int{}},
		at:      map[key]uint32{}, settingsIDs: newSettingsIDs(), failed: map[key]FailedPhoto{},
	}
}

func (s *summing) merge(file string, _ int, f figures, err error) {
	if !s.failuresOnly {
		s.lines[file]++
	}
	if err != nil {
		s.Damaged++
		return
	}
	settingsID := uint16(s.settingsIDs.number(f.settingsID))
	i, known := s.at[f.key]
	if f.Status == Forgotten {
		if known {
			s.photos[i].refailed = true // it counts no more
		}
		delete(s.at, f.key)
		delete(s.failed, f.key)
		return
	}
	if known && !s.photos[i].refailed && s.photos[i].settingsID == settingsID {
		return // described so already, whatever was tried later
	}
	s.period(f.Time)
	if f.Status == Failed {
		r := Record{Attempts: f.Attempts, Error: f.Error}
		s.failed[f.key] = FailedPhoto{Path: f.Path, Failure: failureOf(&r), Blank: f.Blank, Seconds: f.Seconds.Total, Time: f.Time}
		if known {
			s.photos[i].refailed = true
		}
		return
	}
	delete(s.failed, f.key)
	if !known {
		i = uint32(len(s.photos))
		s.at[f.key] = i
		s.photos = append(s.photos, figure{})
	}
	further := 0
	for _, a := range f.Answers {
		further += a.Tokens
	}
	s.photos[i] = figure{
		stages: [5]float32{
			float32(f.Seconds.Decode), float32(f.Seconds.Encode), float32(f.Seconds.Prompt),
			float32(f.Seconds.Generate), float32(f.Seconds.Total),
		},
		words: float32(f.Description.words), tokens: float32(f.Tokens), tiles: float32(f.Tiles),
		further: float32(further),
		finish:  s.finishes.number(f.Finish), model: s.models.number(f.Model), node: s.nodes.number(f.Node),
		settingsID: settingsID, retried: f.Attempts > 1, blank: f.Blank > 0, shared: f.Of != "",
	}
}

// names number a few names; what comes after many is "other".
type names[K ~string] []K

func (n *names[K]) number(name K) uint8 {
	for i, known := range *n {
		if known == name {
			return uint8(i)
		}
	}
	switch {
	case len(*n) < maxReasons:
		*n = append(*n, K(strings.Clone(string(name))))
	case len(*n) == maxReasons:
		*n = append(*n, "other")
	}
	return uint8(len(*n) - 1)
}

func (s *summing) end() {
	allTokens, generating := 0.0, 0.0
	for i := range s.photos {
		p := &s.photos[i]
		if p.refailed {
			continue
		}
		s.OK++
		s.Models[s.models[p.model]]++
		if name := s.nodes[p.node]; name != "" {
			s.Nodes[name]++
		}
		if p.shared {
			s.Duplicates++
			continue
		}
		if p.retried {
			s.Retried++
		}
		if p.blank {
			s.AskedAgain++
		}
		s.Finish[s.finishes[p.finish]]++
		allTokens += float64(p.tokens) + float64(p.further)
		generating += float64(p.stages[3])
	}
	s.Summary.Failed = len(s.failed)
	for _, f := range s.failed {
		if f.Blank > 0 && f.Kind == Model {
			s.SaidNothing++
		}
	}
	if all := s.OK + s.Summary.Failed; all > 0 {
		s.SuccessRate = float64(s.OK) / float64(all)
	}
	for i, to := range []*Stats{&s.Seconds.Decode, &s.Seconds.Encode, &s.Seconds.Prompt, &s.Seconds.Generate, &s.Seconds.Total} {
		*to = s.stats(func(p *figure) float32 { return p.stages[i] })
	}
	s.Words = s.stats(func(p *figure) float32 { return p.words })
	s.Tokens = s.stats(func(p *figure) float32 { return p.tokens })
	s.Tiles = s.stats(func(p *figure) float32 { return p.tiles })
	if generating > 0 {
		s.TokensPerSecond = round(allTokens/generating, 1)
	}
	s.Errors = byKind(s.failed)
}

// stats gathers one figure of all photos.
func (s *summing) stats(of func(*figure) float32) Stats {
	values := make(series, 0, s.OK)
	for i := range s.photos {
		if p := &s.photos[i]; !p.refailed && !p.shared {
			values = append(values, of(p))
		}
	}
	return values.stats()
}
