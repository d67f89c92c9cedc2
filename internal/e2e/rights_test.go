package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// rare are, by caller, the actions for what an interrupted program has left and, for
// workers, for shards of which the service knows nothing any more.
var rare = map[string][]string{
	"run-batch": {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"},
	"run-live":  {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload", "s3:DeleteObject"},
	"workers":   {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload", "kinesis:ListShards"},
}

// as names the caller of what a program does.
func as(e env, caller string) env { return e.with("AWS_SDK_UA_APP_ID=" + caller) }

func TestBatchNeedsTheRightsOfItsPoliciesAndTellsNoCredential(t *testing.T) {
	kinesis, s3, node := testenv.Kinesis(t), testenv.S3(t), testenv.OpenSearch(t)
	e := newEnv(t)
	upload(t, s3, "logs/web", glob(t, generate(t, e, "--lines", "5000", "--days", "2", "--seed", "61"))...)
	kinesis.CreateStream(t, "web", 2)
	g := newRights(t, s3, kinesis, strings.NewReplacer("LOGS_BUCKET/LOGS", s3.Bucket+"/logs", "LAKE_BUCKET/LAKE", s3.Bucket+"/lake",
		"LOGS_BUCKET", s3.Bucket, "LAKE_BUCKET", s3.Bucket, "STREAM", "web", "ROWS", "rows"))
	source, lake := "s3://"+s3.Bucket+"/logs/web/", "s3://"+s3.Bucket+"/lake"

	find := newCredentials(testenv.SecretKey, testenv.AccessKey, maskKey[len(maskKeyID)+1:])
	for _, call := range [][]string{ // each with the name of its policy
		append([]string{"run-batch"}, weblogs(source, lake)...),
		append([]string{"plan", "plan"}, weblogs(source, lake)[1:]...),
		append([]string{"run-batch"}, weblogs(source, lake, "--progress", "json")...), // takes the place of the first
		{"report", "report", "--lake", lake},
		{"generate", "generate", "weblog", "--to", "kinesis://web", "--rate", "100/s", "--for", "1s"},
		append([]string{"run-batch", "doctor"}, weblogs(source, lake)[1:]...),
		append([]string{"run-batch"}, weblogs(source, lake, "--output", "events="+narrowIndex(t, node, "rights-narrow", "bytes", "byte"))...),
		{"replay", "replay", "--sink", "events", "--lake", lake, "--url", narrowIndex(t, node, "rights-mended", "bytes", "long")},
	} {
		r := mustRun(t, as(e, call[0]), call[1:]...)
		find.in(t, "what "+call[1]+" says", []byte(r.stdout+r.stderr))
	}
	if find.folder(t, filepath.Join(s3.Dir, s3.Bucket, "lake"), "") == 0 {
		t.Error("no object of the lake was looked through")
	}
	find.folder(t, e.home, "")
	g.check(t, "plan", "run-batch", "report", "generate", "replay")

	for caller, args := range map[string][]string{
		"look":     weblogs(source, lake),
		"generate": {"report", "--lake", lake},
		"none":     {"report", "--lake", lake},
	} {
		if r := run(t, as(e, caller), args...); r.code != 1 || !strings.Contains(r.stderr, "AccessDenied") {
			t.Errorf("with the rights of %s, %s: exit code %d, %s", caller, args[0], r.code, r.stderr)
		} else {
			find.in(t, "the error of "+args[0], []byte(r.stderr))
		}
	}
}
