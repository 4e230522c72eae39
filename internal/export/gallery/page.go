package gallery

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"path"

	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/dustin/go-humanize"
)

// PerPage is how many photos a page has.
const PerPage = 200

// maxFolders is how many folders the first page lists.
const maxFolders = 2000

// Gallery is a gallery of the photos in a spool, which is sorted.
type Gallery struct {
	Title   string
	Photos  *Spool
	OnePage bool // all photos are on one page
}

// Picture is how a page shows a photo.
type Picture struct {
	Source, Large string // addresses; "" is none. Large is empty where there is only one size
	Width, Height int    // pixels of the source
	Missing       string // why there is no picture
}

// Pages is how many pages there are, at least one.
func (g *Gallery) Pages() int {
	if g.OnePage {
		return 1
	}
	return max(1, (g.Photos.Len()+PerPage-1)/PerPage)
}

// PageName is the file of a page, which are counted from 1.
func PageName(page int) string {
	if page == 1 {
		return "index.html"
	}
	return fmt.Sprintf("page-%d.html", page)
}

// OnPage returns which photos a page has: those from first to before end.
func (g *Gallery) OnPage(page int) (first, end int) {
	if g.OnePage {
		return 0, g.Photos.Len()
	}
	return (page - 1) * PerPage, min(page*PerPage, g.Photos.Len())
}

var (
	//go:embed style.css
	styleText string
	//go:embed script.js
	scriptText string
)

// policy lets a page load nothing but its own parts, whatever a description says.
var policy = fmt.Sprintf("default-src 'none'; img-src 'self' data: file:; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'",
	hashOf(styleText), hashOf(scriptText))

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// view is what a page shows.
type view struct {
	Title, Count string
	Page, Pages  int
	Numbers      []link // of pages; without an address a gap
	Folders      []link
	More         string // how many folders are not listed
	Groups       []group
}

type link struct{ Text, Address string }

// group is the photos of a folder on a page.
type group struct {
	Folder, ID string
	Photos     []shown
}

type shown struct {
	ID, Before, After int // numbers of photos; 0 where there is none on the page
	Name              string
	Photo
	Picture
}

// Write writes a page. picture is asked for each of its photos, in their order.
func (g *Gallery) Write(w io.Writer, page int, picture func(i int, p Photo) (Picture, error)) error {
	first, end := g.OnPage(page)
	v := view{
		Title: g.Title, Count: wording.Count(g.Photos.Len(), "photo"), Page: page, Pages: g.Pages(), Numbers: g.numbers(page),
	}
	if page == 1 {
		v.Folders, v.More = g.folders()
	}
	for i := first; i < end; i++ {
		p, err := g.Photos.Photo(i)
		if err != nil {
			return err
		}
		drawn, err := picture(i, p)
		if err != nil {
			return err
		}
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Folder != folderText(g.Photos.folder(i)) {
			v.Groups = append(v.Groups, group{Folder: folderText(g.Photos.folder(i)), ID: folderID(g.Photos.folder(i))})
		}
		s := shown{ID: i + 1, Name: tracker.EncodePath(path.Base(string(p.Path))), Photo: p, Picture: drawn}
		if i > first {
			s.Before = i
		}
		if i+1 < end {
			s.After = i + 2
		}
		last := &v.Groups[len(v.Groups)-1]
		last.Photos = append(last.Photos, s)
	}
	return v.write(w)
}

// folderText is a folder as people read it, "" for the photo folder itself.
func folderText(folder string) string {
	if folder == "." {
		return ""
	}
	return tracker.EncodePath(folder)
}

func folderID(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return fmt.Sprintf("f%x", sum[:6])
}

// numbers are links to some of the pages: the first and last, and those near a page.
func (g *Gallery) numbers(page int) (list []link) {
	const near = 2
	n := g.Pages()
	if n == 1 {
		return nil
	}
	gap := false
	for i := 1; i <= n; i++ {
		if i > 1 && i < n && (i < page-near || i > page+near) {
			gap = true
			continue
		}
		if gap {
			list, gap = append(list, link{Text: "…"}), false
		}
		list = append(list, link{humanize.Comma(int64(i)), PageName(i)})
	}
	return list
}

// folders are links to where the folders begin. more says how many others there are.
func (g *Gallery) folders() (list []link, more string) {
	others, last := 0, ""
	for i := range g.Photos.Len() {
		folder := g.Photos.folder(i)
		if i > 0 && folder == last {
			continue
		}
		last = folder
		if len(list) >= maxFolders {
			others++
			continue
		}
		page := 1
		if !g.OnePage {
			page = i/PerPage + 1
		}
		address := "#" + folderID(folder)
		if page > 1 {
			address = PageName(page) + address
		}
		text := folderText(folder)
		if text == "" {
			text = g.Title
		}
		list = append(list, link{text, address})
	}
	if len(list) < 2 {
		return nil, ""
	}
	if others > 0 {
		more = wording.Count(others, "more folder")
	}
	return list, more
}
