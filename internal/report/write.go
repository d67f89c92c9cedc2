package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/echarts/echarts.min.js
var chartLibrary string

//go:embed assets/css/report.css
var styleSheet string

//go:embed assets/js/base.js assets/js/marks.js assets/js/traffic.js assets/js/charts.js assets/js/start.js
var scriptFiles embed.FS

// scripts in the order in which they run.
var scripts = []string{"base.js", "marks.js", "traffic.js", "charts.js", "start.js"}

var (
	pageTemplates = template.Must(template.New("").Funcs(templateFuncs).ParseFS(templateFiles, "templates/*.html"))
	pageScript    = mustJoin(scripts)
	pagePolicy    = policy(chartLibrary, pageScript)
)

func mustJoin(names []string) string {
	var b bytes.Buffer
	b.WriteString("\"use strict\";\n")
	for _, name := range names {
		text, err := scriptFiles.ReadFile("assets/js/" + name)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	return b.String()
}

// policy lets the page run the given scripts and nothing else, and load nothing.
// Style attributes are allowed because the charts set them.
func policy(scripts ...string) string {
	p := "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; script-src"
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		p += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return p
}

type pageView struct {
	Data     *Data
	Tiles    []Tile
	Sections []sectionView
	Policy   string
	Style    template.CSS
	Library  template.JS
	Script   template.JS
}

type sectionView struct {
	ID, Title, Nav string
	Half           bool
	Body           template.HTML
	Chart          any
}

// Write draws the page. Equal data give equal bytes.
func Write(w io.Writer, d Data) error {
	page := pageView{
		Data: &d, Tiles: tiles(&d), Policy: pagePolicy,
		Style: template.CSS(styleSheet), Library: template.JS(chartLibrary), Script: template.JS(pageScript), //nolint:gosec // our own files
	}
	for _, s := range sections {
		if s.shown != nil && !s.shown(&d) || d.Shop != nil && !slices.Contains(shopSections, s.ID) || d.Devices != nil && !slices.Contains(deviceSections, s.ID) || d.Logins != nil && !slices.Contains(loginSections, s.ID) {
			continue
		}
		v := sectionView{ID: s.ID, Title: s.Title, Nav: cmp.Or(s.Nav, s.Title), Half: s.Half}
		var body bytes.Buffer
		if err := pageTemplates.ExecuteTemplate(&body, s.ID+".html", s.data(&d)); err != nil {
			return fmt.Errorf("draw section %s: %w", s.ID, err)
		}
		v.Body = template.HTML(body.String()) //nolint:gosec // html/template has written it
		if s.chart != nil {
			v.Chart = s.chart(&d)
		}
		page.Sections = append(page.Sections, v)
	}
	if err := pageTemplates.ExecuteTemplate(w, "page.html", page); err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	return nil
}
