package transforms

import (
	"strings"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/attribution"
	"millrace/transforms/sessions"
)

// attributionRules are rules as they travel with a pipeline.
type attributionRules struct{ textFile }

func readAttributionRules(path string) attributionRules {
	return attributionRules{readTextFile("the attribution rules", path, attribution.MaxRules)}
}

// parse gives the rules.
func (l attributionRules) parse() (*attribution.Rules, error) {
	switch err := l.err(); {
	case err != nil:
		return nil, err
	case l.File == "":
		return attribution.Default(), nil
	}
	return attribution.Parse(l.File, strings.NewReader(l.Text))
}

// AttributionVersion names the content of attribution rules; path is empty for the
// built-in ones.
func AttributionVersion(path string) (string, error) {
	rules, err := readAttributionRules(path).parse()
	if err != nil {
		return "", err
	}
	return rules.Version(), nil
}

// putOrigin puts where a session came from, and its place among the visitor's: the columns
// from SessionSource on.
func putOrigin(b *table.Batch, s *sessions.Session) {
	putTouch(b, weblog.SessionSource, s.Touch)
	putTouch(b, weblog.SessionFirstSource, s.FirstTouch)
	putTouch(b, weblog.SessionLastSource, s.LastTouch)
	if s.Index > 0 {
		b.PutInt(weblog.SessionIndex, int64(s.Index))
	} else {
		b.PutNull(weblog.SessionIndex)
	}
	putKnown(b, weblog.SessionPreviousID, s.Previous, s.Previous != "")
}

// touchColumns are source, medium, campaign and channel.
const touchColumns = 4

// putTouch puts the texts of a touch, as accesslog writes it, in the columns from col on.
func putTouch(b *table.Batch, col int, t sessions.Touch) {
	texts := t.Texts()
	for i := range touchColumns {
		text := ""
		if i < len(texts) {
			text = texts[i]
		}
		putKnown(b, col+i, text, text != "")
	}
}
