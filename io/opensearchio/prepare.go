package opensearchio

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"millrace/io/calls"
)

// prepareLimit is how many bytes an answer about templates has at most.
const prepareLimit = 1 << 20

// prepare puts the index template, unless it is there as it is to be, and adds what
// it has more to the indexes there are. Of workers that do so at once each does all.
func (c *client) prepare(ctx context.Context) error {
	if !c.config.template {
		return nil
	}
	body, digest, err := c.config.indexTemplate()
	if err != nil {
		return err
	}
	path := "/_index_template/" + url.PathEscape(c.config.index.template())
	present, err := c.hasTemplate(ctx, path, digest)
	if err != nil || present {
		return err
	}
	// The indexes first: a template that is there says that this was done.
	columns, err := json.Marshal(object{"properties": c.config.mapping()["properties"]})
	if err != nil {
		return err
	}
	var patterns []string
	for _, p := range c.config.index.patterns() {
		patterns = append(patterns, strings.ReplaceAll(url.PathEscape(p), "%2A", "*"))
	}
	if err := c.put(ctx, "/"+strings.Join(patterns, ",")+"/_mapping?allow_no_indices=true&ignore_unavailable=true", columns); err != nil {
		return err
	}
	return c.put(ctx, path, body)
}

func (c *client) hasTemplate(ctx context.Context, path, digest string) (bool, error) {
	var answer bytes.Buffer
	status, err := c.call(ctx, http.MethodGet, path+"?filter_path=index_templates.index_template._meta.millrace", "", nil, false, prepareLimit, &answer)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNotFound:
		return false, nil
	case status != http.StatusOK:
		return false, c.config.answerError(status, "", calls.Short(answer.Bytes()))
	}
	var found struct {
		Templates []struct {
			Template struct {
				Meta struct{ Millrace string } `json:"_meta"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	if err := json.Unmarshal(answer.Bytes(), &found); err != nil {
		return false, c.config.corrupt(err)
	}
	return len(found.Templates) == 1 && found.Templates[0].Template.Meta.Millrace == digest, nil
}

func (c *client) put(ctx context.Context, path string, body []byte) error {
	var answer bytes.Buffer
	status, err := c.call(ctx, http.MethodPut, path, "application/json", body, false, prepareLimit, &answer)
	if err != nil || status == http.StatusOK {
		return err
	}
	kind, reason := decodeError(answer.Bytes())
	return c.config.answerError(status, kind, reason)
}
