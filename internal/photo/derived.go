package photo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// place is a folder that may belong to a program, and what lies about it.
type place struct {
	path        string // by which the system, or the tree, knows it
	tree        Tree   // nil for the file system
	name        string // in lower case, like the following
	parent      string // the folder that it is in
	grandparent string
	beside      func(name string) bool // is there a folder of that name, in lower case, in parent?
}

// folderRule tells folders of copies, deleted files and older states from those
// with photos of their own. A name that a person may give is not enough: when
// looks at what else the program puts there.
type folderRule struct {
	of    string           // whose, for the log
	names string           // in lower case, with slashes between; a * stands for anything
	when  func(place) bool // nil: the name is enough
}

var folderRules = []folderRule{
	{"trash", "#recycle/@recycle/$recycle.bin/.trash/.trash-*/.trashes/.dtrash/.globaltrash", nil},
	{"trash", "recycler/recycled", func(p place) bool { // of Windows XP and before
		return p.looksInside(1, func(name string) bool { return name == "info2" || nameFits(name, "s-1-5-*") })
	}},
	{"lost+found", "lost+found", nil},
	{"snapshots", "#snapshot/@recently-snapshot/~snapshot/.snapshot/.snapshots/.zfs/system volume information", nil},
	{"resource forks of macOS", "__macosx/.appledouble", nil},
	{"thumbnails", ".thumbnails/.thumbs/.@__thumb", nil},
	{"Synology thumbnails", "@eadir", nil},

	{"Apple Photos", "*", func(p place) bool {
		return nameFits(p.parent, "*.photoslibrary") && !nameFits(p.name, "originals/masters")
	}},
	{"Apple Photos", "resources/scopes/private", func(p place) bool { // a library under another name
		return p.all("originals", "database", "resources", "private")
	}},
	{"iPhoto or Aperture", "*", func(p place) bool {
		return nameFits(p.parent, "*.photolibrary/*.migratedphotolibrary/*.aplibrary/*.migratedaplibrary") &&
			!nameFits(p.name, "originals/masters/modified")
	}},
	{"iPhoto or Aperture", "data/data.noindex", func(p place) bool {
		return p.all("originals") && place{path: filepath.Dir(p.path), tree: p.tree}.has("AlbumData.xml")
	}},
	{"Lightroom previews", "*.lrdata", nil},
	{"Lightroom previews", "previews/proxies/renditions/cache", func(p place) bool {
		return nameFits(p.parent, "*.lrlibrary") || nameFits(p.grandparent, "*.lrlibrary")
	}},
	{"Capture One", "cache", func(p place) bool { return nameFits(p.parent, "*.cocatalog/captureone") }},
	{"Adobe Bridge", "256/1024/full", func(p place) bool {
		return p.parent == "cache" && strings.HasPrefix(p.grandparent, "bridge")
	}},
	{"darktable", "mipmaps-*.d", nil},
	{"Shotwell", "thumbs", func(p place) bool { return p.has("thumbs128") }},

	{"Immich", "thumbs/encoded-video", isImmich},
	{"Nextcloud previews", "preview/avatar/dav-photocache/theming", func(p place) bool { return nameFits(p.parent, "appdata_*") }},
	{"Nextcloud previews", "thumbnails", func(p place) bool { return p.all("files", "cache") || p.all("files", "files_trashbin") }},
	{"trash", "files_trashbin", func(p place) bool { return p.all("files") }},
	{"older versions", "files_versions/.stversions", func(p place) bool { return p.name[0] == '.' || p.all("files") }},
	{"PhotoPrism", "cache/sidecar", func(p place) bool { return p.all("cache", "sidecar", "config") }},
	{"LibrePhotos", "thumbnails_big/square_thumbnails/square_thumbnails_*", func(p place) bool { return p.parent == "protected_media" }},
	{"Piwigo", "i", func(p place) bool { return p.parent == "_data" }},
	{"Lychee", "thumb/thumb2x/small/small2x/medium/medium2x", func(p place) bool {
		return p.all("thumb", "small", "medium") && (p.beside("original") || p.beside("big"))
	}},
}

// picasaOriginals is hidden and holds photos: Picasa moves those there of which
// it writes an edited copy.
const picasaOriginals = ".picasaoriginals"

const hiddenFolder = "hidden" // the rule for a leading dot

var (
	namedRules = make(map[string][]*folderRule)
	starRules  []starRule
)

type starRule struct {
	pattern string
	rule    *folderRule
}

func init() {
	for i := range folderRules {
		r := &folderRules[i]
		for name := range strings.SplitSeq(r.names, "/") {
			if strings.Contains(name, "*") {
				starRules = append(starRules, starRule{name, r})
			} else {
				namedRules[name] = append(namedRules[name], r)
			}
		}
	}
}

// ruleFor is the rule by which a folder is left out, "" if there is none.
func ruleFor(p place) string {
	for _, r := range namedRules[p.name] {
		if r.when == nil || r.when(p) {
			return r.of
		}
	}
	for _, s := range starRules {
		if nameFits(p.name, s.pattern) && (s.rule.when == nil || s.rule.when(p)) {
			return s.rule.of
		}
	}
	if strings.HasPrefix(p.name, ".") && p.name != picasaOriginals {
		return hiddenFolder
	}
	return ""
}

// all reports whether all these folders lie beside p, or are p.
func (p place) all(names ...string) bool {
	for _, n := range names {
		if n != p.name && !p.beside(n) {
			return false
		}
	}
	return true
}

// nameFits reports whether a name fits one of the patterns, which have slashes between
// them and may have one * for anything.
func nameFits(name, patterns string) bool {
	for pattern := range strings.SplitSeq(patterns, "/") {
		before, after, star := strings.Cut(pattern, "*")
		if name == pattern || star && len(name) >= len(before)+len(after) &&
			strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			return true
		}
	}
	return false
}

// has reports whether something of that name lies in the folder.
func (p place) has(name string) bool {
	if p.tree != nil {
		return treeHas(p.tree, p.path, name)
	}
	_, err := os.Lstat(filepath.Join(p.path, name))
	return err == nil
}

var (
	uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	// immichCopy is how Immich names the copies that it makes of a photo.
	immichCopy = regexp.MustCompile(`[-_](preview|thumbnail|fullsize)\.(jpe?g|webp|png)$`)
)

// isImmich reports whether the folder lies where Immich keeps its photos, and
// looks as if Immich had made it: it has Immich's own mark, a folder for each
// user by number, or the names of its copies.
func isImmich(p place) bool {
	if !p.beside("upload") && !p.beside("library") {
		return false
	}
	return p.has(".immich") ||
		p.looksInside(4, func(name string) bool { return uuid.MatchString(name) || immichCopy.MatchString(name) })
}

// firstInside is how many names of a folder looksInside looks at.
const firstInside = 8

// looksInside looks for a name, in lower case, in the folder and those in it.
func (p place) looksInside(levels int, wanted func(name string) bool) bool {
	if p.tree != nil {
		return treeLooksInside(p.tree, p.path, levels, wanted)
	}
	return looksInside(p.path, levels, wanted)
}

// looksInside looks for a name, in lower case, among the first few of each
// folder, as many levels deep as it is told.
func looksInside(dir string, levels int, wanted func(name string) bool) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	entries, _ := f.ReadDir(firstInside)
	f.Close()
	for _, e := range entries {
		if wanted(strings.ToLower(e.Name())) ||
			e.IsDir() && levels > 1 && looksInside(filepath.Join(dir, e.Name()), levels-1, wanted) {
			return true
		}
	}
	return false
}
