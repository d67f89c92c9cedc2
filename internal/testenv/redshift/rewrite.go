package redshift

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	createTable = regexp.MustCompile(`(?is)^\s*CREATE\s+(TEMP\s+|TEMPORARY\s+)?TABLE\s`)
	attributes  = regexp.MustCompile(`(?is)\s+(DISTSTYLE\s+(AUTO|EVEN|KEY|ALL)|DISTKEY(\s*\([^)]*\))?|(COMPOUND\s+|INTERLEAVED\s+)?SORTKEY(\s*\([^)]*\))?|ENCODE\s+\w+)`)
	varbyte     = regexp.MustCompile(`(?i)\bVARBYTE(\s*\(\s*\d+\s*\))?`)
	addColumn   = regexp.MustCompile(`(?is)^\s*ALTER\s+TABLE\s+\S+\s+ADD\s+(COLUMN\s+)?`)
	merge       = regexp.MustCompile(`(?is)^\s*MERGE\s`)
	copyAny     = regexp.MustCompile(`(?is)^\s*COPY\s`)
	copyParquet = regexp.MustCompile(`(?is)^\s*COPY\s+("?[A-Za-z_][\w."]*)\s+FROM\s+'(s3://[^']+)'\s+IAM_ROLE\s+(DEFAULT|'arn:aws[a-z-]*:iam::\d{12}:role/[^']+')\s+FORMAT\s+(?:AS\s+)?PARQUET\s+MANIFEST\s*;?\s*$`)
	notRedshift = []*regexp.Regexp{
		regexp.MustCompile(`(?is)\bWHEN\s+(NOT\s+)?MATCHED\s+AND\b`), regexp.MustCompile(`(?is)\bDO\s+NOTHING\b`), regexp.MustCompile(`(?is)\bUSING\s*\(`),
		regexp.MustCompile(`(?is)^\s*MERGE\s+INTO\s+\S+\s+(AS\s+)?\w+\s+USING\b`), // its target has no alias
	}
)

// copying is a COPY that the Warehouse runs itself.
type copying struct{ table, manifest string }

// rewrite gives what PostgreSQL is to run, or a COPY; an error where Redshift takes
// no such statement.
func rewrite(sql string) (string, *copying, error) {
	switch {
	case copyAny.MatchString(sql):
		found := copyParquet.FindStringSubmatch(sql)
		if found == nil {
			return "", nil, errors.New("syntax error: only COPY table FROM 's3://...' IAM_ROLE {default|'arn'} FORMAT AS PARQUET MANIFEST is known here")
		}
		return "", &copying{table: found[1], manifest: found[2]}, nil
	case merge.MatchString(sql):
		for _, form := range notRedshift {
			if at := form.FindString(sql); at != "" {
				return "", nil, fmt.Errorf("syntax error: Redshift's MERGE has no %q", strings.Join(strings.Fields(at), " "))
			}
		}
		if upper := strings.ToUpper(sql); !strings.Contains(upper, "WHEN MATCHED") || !strings.Contains(upper, "WHEN NOT MATCHED") {
			return "", nil, errors.New("syntax error: Redshift's MERGE has WHEN MATCHED and WHEN NOT MATCHED")
		}
	case createTable.MatchString(sql):
		return varbyte.ReplaceAllString(attributes.ReplaceAllString(sql, ""), "BYTEA"), nil, nil
	case addColumn.MatchString(sql):
		return varbyte.ReplaceAllString(sql, "BYTEA"), nil, nil
	}
	return sql, nil, nil
}
