// Package benchsinks keeps every rule.
package benchsinks

import _ "github.com/opensearch-project/opensearch-go/v4"
