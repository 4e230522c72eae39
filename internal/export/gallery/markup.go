package gallery

import (
	"io"

	"photodesc/internal/markup"
)

// write writes the page. The markup that is the same on each page stands here as it is written.
func (v *view) write(to io.Writer) error {
	w := markup.NewWriter(to)
	w.Putf(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>%s`, policy, v.Title)
	if v.Page > 1 {
		w.Putf(", page %d", v.Page)
	}
	w.Raw("</title>\n<style>" + styleText + "</style>\n</head>\n<body>\n<header>\n")
	w.Putf("<h1><bdi>%s</bdi></h1>\n<p>%s", v.Title, v.Count)
	if v.Pages > 1 {
		w.Putf(", page %d of %d", v.Page, v.Pages)
	}
	w.Raw(`</p>
<label class="find" hidden>Find on this page <input type="search" id="find" autocomplete="off"></label>
</header>`)
	v.writeFolders(w)
	v.writeNumbers(w)
	w.Raw("\n<main>")
	for _, g := range v.Groups {
		g.write(w, v.Title)
	}
	if len(v.Groups) == 0 {
		w.Raw("\n<p class=\"empty\">There are no photos here.</p>")
	}
	w.Raw("\n</main>")
	v.writeNumbers(w)
	w.Raw("\n<script>" + scriptText + "</script>\n</body>\n</html>\n")
	return w.Close()
}

func (v *view) writeFolders(w *markup.Writer) {
	if len(v.Folders) == 0 {
		return
	}
	w.Raw("\n<details><summary>Folders</summary><ul class=\"folders\">")
	for _, f := range v.Folders {
		w.Putf("\n<li><a href=\"%s\"><bdi>%s</bdi></a></li>", f.Address, f.Text)
	}
	if v.More != "" {
		w.Putf("\n<li>%s</li>", v.More)
	}
	w.Raw("\n</ul></details>")
}

func (v *view) writeNumbers(w *markup.Writer) {
	if len(v.Numbers) == 0 {
		return
	}
	w.Raw("\n<nav class=\"numbers\" aria-label=\"pages\">")
	for _, n := range v.Numbers {
		switch {
		case n.Address == "":
			w.Putf("\n<span>%s</span>", n.Text)
		case n.Address == PageName(v.Page):
			w.Putf("\n<a href=\"%s\" aria-current=\"page\">%s</a>", n.Address, n.Text)
		default:
			w.Putf("\n<a href=\"%s\">%s</a>", n.Address, n.Text)
		}
	}
	w.Raw("\n</nav>")
}

func (g *group) write(w *markup.Writer, title string) {
	label, class := g.Folder, ""
	if g.Folder == "" {
		label, class = title, ` class="top"`
	}
	w.Putf("\n<section aria-label=\"%s\">\n<h2 id=\"%s\"", label, g.ID)
	w.Raw(class)
	w.Putf("><bdi>%s</bdi></h2>\n<ul class=\"grid\">", g.Folder)
	for i := range g.Photos {
		g.Photos[i].write(w)
	}
	w.Raw("\n</ul>\n</section>")
}

func (p *shown) write(w *markup.Writer) {
	w.Putf("\n<li><figure id=\"p%d\">\n<a class=\"open\" href=\"#p%d\">", p.ID, p.ID)
	if p.Source != "" {
		w.Putf(`<img src="%s" width="%d" height="%d" alt="%s" loading="lazy" decoding="async">`, p.Source, p.Width, p.Height, p.Description)
	} else {
		w.Putf(`<span class="none">no picture: %s</span>`, p.Missing)
	}
	w.Raw("</a>")
	if p.Large != "" {
		w.Putf(`<img class="large" src="%s" alt="" loading="lazy" decoding="async">`, p.Large)
	}
	w.Putf("\n<figcaption><p class=\"words\" dir=\"auto\">%s</p>", p.Description)
	if len(p.Keywords) > 0 {
		w.Raw(`<p class="more">`)
		for i, k := range p.Keywords {
			if i > 0 {
				w.Raw(", ")
			}
			w.Putf("<bdi>%s</bdi>", k)
		}
		w.Raw("</p>")
	}
	if p.Facts != "" {
		w.Putf(`<p class="more">%s</p>`, p.Facts)
	}
	w.Putf("\n<p class=\"more name\"><bdi>%s</bdi></p></figcaption>\n", p.Name)
	move(w, "before", p.Before, "previous photo", "‹")
	move(w, "after", p.After, "next photo", "›")
	w.Raw("<a class=\"move close\" href=\"#-\" aria-label=\"close\">×</a>\n</figure></li>")
}

// move writes a link to a neighbour, hidden where there is none.
func move(w *markup.Writer, class string, id int, label, sign string) {
	w.Putf(`<a class="move %s" `, class)
	if id == 0 {
		w.Raw("hidden")
	} else {
		w.Putf(`href="#p%d"`, id)
	}
	w.Putf(" aria-label=\"%s\">%s</a>\n", label, sign)
}
