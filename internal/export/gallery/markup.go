package gallery

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// line ends a line of the page's source.
var line = g.Raw("\n")

// write writes the page. gomponents escapes what is in it; only the style and the script, which are ours, stand as they are.
func (v *view) write(to io.Writer) error {
	title, count := v.Title, v.Count
	if v.Page > 1 {
		title += fmt.Sprintf(", page %d", v.Page)
	}
	if v.Pages > 1 {
		count += fmt.Sprintf(", page %d of %d", v.Page, v.Pages)
	}
	w := bufio.NewWriter(to)
	page := h.Doctype(h.HTML(h.Lang("en"), line,
		h.Head(line,
			h.Meta(h.Charset("utf-8")), line,
			h.Meta(g.Attr("http-equiv", "Content-Security-Policy"), h.Content(policy)), line,
			meta("viewport", "width=device-width, initial-scale=1"),
			meta("color-scheme", "light dark"),
			meta("robots", "noindex"),
			meta("referrer", "no-referrer"),
			h.TitleEl(g.Text(title)), line,
			h.StyleEl(g.Raw(styleText)), line,
		), line,
		h.Body(line,
			h.Header(line,
				h.H1(bdi(v.Title)), line,
				h.P(g.Text(count)), line,
				h.Label(h.Class("find"), g.Attr("hidden"), g.Text("Find on this page "),
					h.Input(h.Type("search"), h.ID("find"), h.AutoComplete("off"))), line,
			), line,
			v.folders(),
			v.numbers(),
			h.Main(g.Map(v.Groups, func(group group) g.Node { return group.section(v.Title) }),
				g.If(len(v.Groups) == 0, h.P(h.Class("empty"), g.Text("There are no photos here.")))), line,
			v.numbers(),
			h.Script(g.Raw(scriptText)), line,
		), line,
	))
	if err := page.Render(w); err != nil {
		return err
	}
	return w.Flush()
}

func meta(name, content string) g.Node {
	return g.Group{h.Meta(h.Name(name), h.Content(content)), line}
}

// bdi keeps text that is written from right to left from turning what stands around it.
func bdi(text string) g.Node { return g.El("bdi", g.Text(text)) }

func (v *view) folders() g.Node {
	if len(v.Folders) == 0 {
		return nil
	}
	return g.Group{h.Details(h.Summary(g.Text("Folders")), h.Ul(h.Class("folders"),
		g.Map(v.Folders, func(f link) g.Node { return g.Group{line, h.Li(h.A(h.Href(f.Address), bdi(f.Text)))} }),
		g.If(v.More != "", g.Group{line, h.Li(g.Text(v.More))}), line,
	)), line}
}

func (v *view) numbers() g.Node {
	if len(v.Numbers) == 0 {
		return nil
	}
	return g.Group{h.Nav(h.Class("numbers"), h.Aria("label", "pages"), g.Map(v.Numbers, func(n link) g.Node {
		if n.Address == "" {
			return g.Group{line, h.Span(g.Text(n.Text))}
		}
		return g.Group{line, h.A(h.Href(n.Address), g.If(n.Address == PageName(v.Page), h.Aria("current", "page")), g.Text(n.Text))}
	}), line), line}
}

func (f *group) section(title string) g.Node {
	label := f.Folder
	if f.Folder == "" {
		label = title
	}
	return g.Group{line, h.Section(h.Aria("label", label), line,
		h.H2(h.ID(f.ID), g.If(f.Folder == "", h.Class("top")), bdi(f.Folder)), line,
		h.Ul(h.Class("grid"), g.Map(f.Photos, func(p shown) g.Node { return p.item() }), line), line,
	), line}
}

func (p *shown) item() g.Node {
	picture := h.Span(h.Class("none"), g.Text("no picture: "+p.Missing))
	if p.Source != "" {
		picture = h.Img(h.Src(p.Source), h.Width(strconv.Itoa(p.Width)), h.Height(strconv.Itoa(p.Height)), h.Alt(p.Description), lazy)
	}
	return g.Group{line, h.Li(h.Figure(h.ID(anchor(p.ID)), line,
		h.A(h.Class("open"), h.Href("#"+anchor(p.ID)), picture),
		g.If(p.Large != "", h.Img(h.Class("large"), h.Src(p.Large), h.Alt(""), lazy)), line,
		h.FigCaption(
			h.P(h.Class("words"), h.Dir("auto"), g.Text(p.Description)),
			p.keywords(),
			g.If(p.Facts != "", h.P(h.Class("more"), g.Text(p.Facts))), line,
			h.P(h.Class("more name"), bdi(p.Name)),
		), line,
		move("before", p.Before, "previous photo", "‹"),
		move("after", p.After, "next photo", "›"),
		h.A(h.Class("move close"), h.Href("#-"), h.Aria("label", "close"), g.Text("×")), line,
	))}
}

var lazy = g.Group{h.Loading("lazy"), g.Attr("decoding", "async")}

func anchor(photo int) string { return fmt.Sprintf("p%d", photo) }

func (p *shown) keywords() g.Node {
	if len(p.Keywords) == 0 {
		return nil
	}
	var list g.Group
	for i, k := range p.Keywords {
		list = append(list, g.If(i > 0, g.Text(", ")), bdi(k))
	}
	return h.P(h.Class("more"), list)
}

// move is a link to a neighbour, hidden where there is none.
func move(class string, photo int, label, sign string) g.Node {
	to := g.Attr("hidden")
	if photo > 0 {
		to = h.Href("#" + anchor(photo))
	}
	return g.Group{h.A(h.Class("move "+class), to, h.Aria("label", label), g.Text(sign)), line}
}
