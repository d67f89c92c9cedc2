// Package mask is an idea that keeps every rule.
package mask

import _ "millrace/schemas/pii"
