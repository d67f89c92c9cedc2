package opensearchio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"millrace/schemas/table"
)

// object is a JSON object, whose names encoding/json sorts.
type object = map[string]any

// maxTerm is how many characters of a keyword are indexed: a term has at most
// 32,766 bytes, and a longer one would be refused with its row.
const maxTerm = 8191

// field is how a column is indexed.
func field(c table.Column) object {
	switch c.Kind {
	case table.Int32:
		return object{"type": "integer"}
	case table.Int64:
		return object{"type": "long"}
	case table.Float64:
		return object{"type": "double"}
	case table.Bool:
		return object{"type": "boolean"}
	case table.Time:
		return object{"type": "date", "format": "strict_date_optional_time"}
	case table.Date:
		return object{"type": "date", "format": "strict_date"}
	case table.UUID:
		return object{"type": "keyword"}
	case table.Bytes:
		return object{"type": "binary"}
	default: // texts
		return textField(c)
	}
}

func textField(c table.Column) object {
	keyword := object{"type": "keyword", "ignore_above": maxTerm}
	switch {
	case c.Mask == table.MaskTruncated && (c.ECS == "client.ip" || strings.HasSuffix(c.ECS, ".ip")):
		return object{"type": "ip"}
	case c.Mask == table.MaskScanned || c.Mask == table.MaskPlain:
		// Found as a whole, and by its words.
		keyword["fields"] = object{"text": object{"type": "text", "norms": false}}
	}
	return keyword
}

// mapping says how the sink's documents are indexed; they have no other fields.
func (c *config) mapping() object {
	fields := object{}
	for _, column := range c.schema.Columns {
		fields[column.Name] = field(column)
	}
	if _, versions := versioned(c.schema); versions {
		fields["sealed"], fields["withdrawn"] = object{"type": "boolean"}, object{"type": "boolean"}
	}
	if c.append {
		fields[timestamp] = object{"type": "date", "format": "strict_date_optional_time"}
	}
	return object{"dynamic": "strict", "_meta": object{"schema": c.schema.ID()}, "properties": fields}
}

// IndexTemplate is the index template that the sink of a URL puts for rows of a schema,
// and its name.
func IndexTemplate(url string, schema *table.Schema) (name string, body []byte, err error) {
	c, err := parse(url, schema)
	if err != nil {
		return "", nil, err
	}
	body, _, err = c.indexTemplate()
	return c.index.template(), body, err
}

// indexTemplate is the body of the template, and the digest that stands in it.
func (c *config) indexTemplate() (body []byte, digest string, err error) {
	inner := object{
		"settings": object{"index": object{"number_of_shards": 1, "codec": "best_compression"}},
		"mappings": c.mapping(),
	}
	if c.alias != "" {
		alias := object{}
		if _, versions := versioned(c.schema); versions {
			alias["filter"] = object{"bool": object{"must_not": []object{{"term": object{"withdrawn": true}}}}}
		}
		inner["aliases"] = object{c.alias: alias}
	}
	t := object{"index_patterns": c.index.patterns(), "priority": 200, "template": inner}
	if c.append {
		t["data_stream"] = object{}
	}
	text, err := json.Marshal(t)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	digest = hex.EncodeToString(sum[:16])
	t["_meta"] = object{"millrace": digest}
	body, err = json.Marshal(t)
	return body, digest, err
}
