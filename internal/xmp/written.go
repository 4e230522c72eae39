package xmp

import (
	"bytes"
	"slices"
	"strings"

	"photodesc/internal/photo"
)

// This file reads what persons have written about a photo. What photodesc wrote is left out.

// Namespaces that are read only.
const (
	nsIPTCExt     = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
	nsRegions     = "http://www.metadataworkinggroup.com/schemas/regions/"
	nsMicrosoft   = "http://ns.microsoft.com/photo/1.2/"
	nsMicrosoftRI = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
	nsMicrosoftR  = "http://ns.microsoft.com/photo/1.2/t/Region#"
	nsMediaPro    = "http://ns.iview-multimedia.com/mediapro/1.0/"
)

var (
	title           = name{nsDC, "title"}
	headline        = name{nsPhotoshop, "Headline"}
	city            = name{nsPhotoshop, "City"}
	province        = name{nsPhotoshop, "State"}
	country         = name{nsPhotoshop, "Country"}
	location        = name{nsIPTC, "Location"}
	locationShown   = name{nsIPTCExt, "LocationShown"}
	locationCreated = name{nsIPTCExt, "LocationCreated"}
	personInImage   = name{nsIPTCExt, "PersonInImage"}
	personDetails   = name{nsIPTCExt, "PersonInImageWDetails"}
	regions         = name{nsRegions, "Regions"}
	regionInfo      = name{nsMicrosoft, "RegionInfo"}
	mediaProPeople  = name{nsMediaPro, "People"}
)

// readNames are the properties that are read.
var readNames = []name{
	description, imageDescription, title, headline, captionWriter, subject, tagsList, hierarchical,
	city, province, country, location, locationShown, locationCreated,
	personInImage, personDetails, regions, regionInfo, mediaProPeople,
	ownDescription, ownKeywords, ownTags, ownPaths,
}

// source is one of the places in which something is written about a photo.
type source struct {
	texts  map[name][]string
	people []string
	places map[name]photo.PlaceNames
}

// Written reads what persons have written about a photo: into its sidecar, nil if there is
// none, and into the photo. The sidecar counts first. What is damaged counts as not there.
func Written(sidecar []byte, in Embedded) (w photo.Written) {
	var sources []*source
	for _, data := range [][]byte{sidecar, in.Packet} {
		if s := sourceOf(data); s != nil {
			sources = append(sources, s)
		}
	}
	fields := &source{texts: map[name][]string{}}
	for _, f := range in.Fields {
		prefix, local, _ := strings.Cut(f.Name, ":")
		fields.texts[name{seedPrefixes[prefix], local}] = f.Values
	}
	sources = append(sources, fields)
	var ours []string // hashes of descriptions that photodesc wrote
	for _, s := range sources {
		ours = append(ours, s.texts[ownDescription]...)
	}
	for _, names := range [][]name{{description, imageDescription}, {title}, {headline}} {
		for _, s := range sources {
			if w.Caption == "" {
				w.Caption = s.caption(names, ours)
			}
		}
	}
	for _, s := range sources {
		w.Keywords = addNew(w.Keywords, s.keywords())
		w.People = addNew(w.People, s.names())
		if w.Place == (photo.PlaceNames{}) {
			w.Place = s.place()
		}
	}
	return w
}

// sourceOf reads XMP, nil if there is none.
func sourceOf(data []byte) *source {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	s := &source{texts: map[name][]string{}, places: map[name]photo.PlaceNames{}}
	err := properties(data, func(n name) bool { return slices.Contains(readNames, n) }, func(n name, e *rdf) {
		switch n {
		case locationShown, locationCreated:
			for _, item := range e.items() {
				if p := placeOf(item); len(p.List()) > 0 && s.places[n] == (photo.PlaceNames{}) {
					s.places[n] = p
				}
			}
		case regions, regionInfo, personDetails:
			s.people = append(s.people, structured(n, e)...)
		default:
			s.texts[n] = append(s.texts[n], e.texts()...)
		}
	})
	if err != nil {
		return nil
	}
	return s
}

func placeOf(item *rdf) (p photo.PlaceNames) {
	item.fields(func(n name, f *rdf) {
		if n.space != nsIPTCExt {
			return
		}
		switch n.local {
		case "Sublocation":
			p.Location = f.text()
		case "City":
			p.City = f.text()
		case "ProvinceState":
			p.State = f.text()
		case "CountryName":
			p.Country = f.text()
		}
	})
	return p
}

// structured returns the names of people in regions of faces, or in IPTC's details.
func structured(n name, e *rdf) (people []string) {
	if n == personDetails {
		for _, item := range e.items() {
			item.fields(func(n name, f *rdf) {
				if (n == name{nsIPTCExt, "PersonName"}) {
					people = append(people, f.text())
				}
			})
		}
		return people
	}
	e.fields(func(n name, list *rdf) {
		if (n != name{nsRegions, "RegionList"}) && (n != name{nsMicrosoftRI, "Regions"}) {
			return
		}
		for _, item := range list.items() {
			who, face := "", true
			item.fields(func(n name, f *rdf) {
				switch n {
				case name{nsRegions, "Name"}, name{nsMicrosoftR, "PersonDisplayName"}:
					who = f.text()
				case name{nsRegions, "Type"}:
					face = strings.EqualFold(f.text(), "Face")
				}
			})
			if face {
				people = append(people, who)
			}
		}
	})
	return people
}

// caption is the first text under the names that a person wrote.
func (s *source) caption(names []name, ours []string) string {
	writtenByUs := len(s.texts[ownDescription]) == 0 && slices.ContainsFunc(s.texts[captionWriter], func(t string) bool { return strings.HasPrefix(t, writer("")) })
	for _, n := range names {
		for _, text := range s.texts[n] {
			described := n == description || n == imageDescription
			if !OfCamera(text) && !slices.Contains(ours, sumText(text)) && !(described && writtenByUs) {
				return text
			}
		}
	}
	return ""
}

// keywords are those that photodesc has not added.
func (s *source) keywords() (list []string) {
	for _, k := range s.texts[subject] {
		if !hasFold(s.texts[ownKeywords], k) {
			list = append(list, k)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, path := range s.paths() {
		if person(path) == "" {
			list = append(list, path[strings.LastIndexByte(path, '/')+1:])
		}
	}
	return list
}

// paths are keywords with those above them, "Places/Italy/Rome", that photodesc has not added.
func (s *source) paths() (list []string) {
	for _, p := range s.texts[tagsList] {
		if !hasFold(s.texts[ownTags], p) {
			list = append(list, p)
		}
	}
	for _, p := range s.texts[hierarchical] {
		if !hasFold(s.texts[ownPaths], p) {
			list = append(list, strings.ReplaceAll(p, "|", "/"))
		}
	}
	return list
}

// names are those of people in the picture.
func (s *source) names() []string {
	list := slices.Concat(s.texts[personInImage], s.people, s.texts[mediaProPeople])
	for _, path := range s.paths() {
		list = append(list, person(path))
	}
	return slices.DeleteFunc(list, func(s string) bool { return hasFold(nobody, s) })
}

// person is the name in a tag of digiKam, "People/Ada", and "" for other tags.
func person(path string) string {
	top, rest, _ := strings.Cut(path, "/")
	if !strings.EqualFold(top, "people") {
		return ""
	}
	return rest[strings.LastIndexByte(rest, '/')+1:]
}

// place is what one record of a place says; of several ones they are not mixed.
func (s *source) place() photo.PlaceNames {
	first := func(n name) string {
		if list := s.texts[n]; len(list) > 0 {
			return list[0]
		}
		return ""
	}
	for _, p := range []photo.PlaceNames{
		{Location: first(location), City: first(city), State: first(province), Country: first(country)},
		s.places[locationShown], s.places[locationCreated],
	} {
		if p = p.Plain(); p != (photo.PlaceNames{}) {
			return p
		}
	}
	return photo.PlaceNames{}
}

// nobody are names of faces that a program found and nobody has named.
var nobody = []string{"unknown", "unconfirmed", "ignored"}

// maxListed bounds lists of keywords and names.
const maxListed = 200

// addNew adds what is not in the list yet and says something.
func addNew(list, more []string) []string {
	for _, s := range more {
		if s = strings.Join(strings.Fields(clean(s)), " "); s != "" && len(list) < maxListed && !hasFold(list, s) {
			list = append(list, s)
		}
	}
	return list
}
