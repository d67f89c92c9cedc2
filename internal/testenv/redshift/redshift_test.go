package redshift

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata/types"
	"github.com/aws/smithy-go"

	"millrace/internal/testenv"
)

func TestStatementsPassAsTheyAreButForWhatIsSaid(t *testing.T) {
	for sql, want := range map[string]string{
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)": "",
		"LOCK TABLE t":               "",
		"SELECT 'DISTKEY (a)'":       "",
		"ALTER TABLE t ADD COLUMN x": "",
		"CREATE TABLE t (a VARCHAR(9) ENCODE zstd, b VARBYTE(7))\nDISTSTYLE KEY DISTKEY (\"a\")\nCOMPOUND SORTKEY (\"a\", \"b\")": "CREATE TABLE t (a VARCHAR(9), b BYTEA)",
		"ALTER TABLE t ADD COLUMN x VARBYTE(7)": "ALTER TABLE t ADD COLUMN x BYTEA",
	} {
		if want == "" {
			want = sql
		}
		if got, c, err := rewrite(sql); got != want || c != nil || err != nil {
			t.Errorf("%s becomes %q, %v, %v", sql, got, c, err)
		}
	}
	for _, sql := range []string{
		"COPY t FROM STDIN", "COPY t FROM 's3://b/k' FORMAT AS PARQUET MANIFEST", "COPY t FROM 's3://b/k' IAM_ROLE DEFAULT FORMAT AS PARQUET",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND t.b < s.b THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
		"MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
		"MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
		"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
	} {
		if got, _, err := rewrite(sql); err == nil {
			t.Errorf("%s is taken, as %q", sql, got)
		}
	}
	_, c, err := rewrite(`COPY "t" FROM 's3://b/k' IAM_ROLE 'arn:aws:iam::123456789012:role/r' FORMAT AS PARQUET MANIFEST`)
	if err != nil || *c != (copying{`"t"`, "s3://b/k"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTheDataAPIRunsABatchOnceForAToken(t *testing.T) {
	w := New(t, Options{S3: testenv.S3(t)})
	NewDataAPI(t, w)
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := redshiftdata.NewFromConfig(cfg)
	run := func(token string, sqls ...string) (*redshiftdata.DescribeStatementOutput, error) {
		out, err := client.BatchExecuteStatement(t.Context(), &redshiftdata.BatchExecuteStatementInput{
			Sqls: sqls, Database: &w.Database, WorkgroupName: aws.String("team"), ClientToken: &token,
		})
		for err == nil {
			var d *redshiftdata.DescribeStatementOutput
			d, err = client.DescribeStatement(t.Context(), &redshiftdata.DescribeStatementInput{Id: out.Id})
			if err == nil && (d.Status == types.StatusStringFinished || d.Status == types.StatusStringFailed) {
				return d, nil
			}
			time.Sleep(time.Millisecond)
		}
		return nil, err
	}
	if d, err := run("a", "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2)"); err != nil || d.Status != types.StatusStringFinished || d.SubStatements[1].ResultRows != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	for range 2 {
		if _, err := run("b", "INSERT INTO t VALUES (3)"); err != nil {
			t.Fatal(err)
		}
	}
	var refused smithy.APIError
	if _, err := run("b", "INSERT INTO t VALUES (4)"); !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
		t.Errorf("a token for other statements gives %v", err)
	}
	if d, err := run("c", "INSERT INTO t VALUES (5)", "INSERT INTO nowhere VALUES (5)"); err != nil || d.Status != types.StatusStringFailed || !strings.Contains(*d.SubStatements[1].Error, "does not exist") {
		t.Errorf("%+v, %v", d, err)
	}
	var n int
	if err := w.Node.Connect(t, w.Database).QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v, want 3", n, err)
	}
}
