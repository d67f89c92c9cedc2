package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// rare are, by caller, the actions for what an interrupted program has left and, for
// workers, for shards of which the service knows nothing any more; of reveal those on a
// key of KMS, which no gate here stands before.
var rare = map[string][]string{
	"reveal":    {"kms:Decrypt"},
	"run-batch": {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"},
	"run-live":  {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload", "s3:DeleteObject"},
	"workers":   {"s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload", "kinesis:ListShards"},
}

// as names the caller of what a program does.
func as(e env, caller string) env { return e.with("AWS_SDK_UA_APP_ID=" + caller) }

func TestBatchNeedsTheRightsOfItsPoliciesAndTellsNoCredential(t *testing.T) {
	kinesis, s3, node := testenv.Kinesis(t), testenv.S3(t), testenv.OpenSearch(t)
	e := newEnv(t).with("VAULT_KEY=v1:" + strings.Repeat("5c", 32))
	upload(t, s3, "logs/web", glob(t, generate(t, e, "--lines", "5000", "--days", "2", "--seed", "61"))...)
	kinesis.CreateStream(t, "web", 2)
	g := newRights(t, s3, kinesis, strings.NewReplacer("LOGS_BUCKET/LOGS", s3.Bucket+"/logs", "LAKE_BUCKET/LAKE", s3.Bucket+"/lake",
		"LOGS_BUCKET", s3.Bucket, "LAKE_BUCKET", s3.Bucket, "STREAM", "web", "ROWS", "rows"))
	source, lake := "s3://"+s3.Bucket+"/logs/web/", "s3://"+s3.Bucket+"/lake"
	objects := filepath.Join(s3.Dir, s3.Bucket, "lake")
	writeFile(t, e.in("policy.yaml"), []byte("fields:\n  client_ip: {class: ip, method: token}\nreversible: [ip]\n"))
	web := func(more ...string) []string {
		return weblogs(source, lake, append([]string{"--mask-policy", e.in("policy.yaml"), "--vault-key", "env://VAULT_KEY"}, more...)...)
	}

	find := newCredentials(testenv.SecretKey, testenv.AccessKey, maskKey[len(maskKeyID)+1:], strings.Repeat("5c", 32))
	for _, call := range [][]string{ // each with the name of its policy
		append([]string{"run-batch"}, web()...),
		append([]string{"plan", "plan"}, web()[1:]...),
		append([]string{"run-batch"}, web("--progress", "json")...), // takes the place of the first
		{"report", "report", "--lake", lake},
		{"generate", "generate", "weblog", "--to", "kinesis://web", "--rate", "100/s", "--for", "1s"},
		append([]string{"run-batch", "doctor"}, web()[1:]...),
		append([]string{"run-batch"}, web("--output", "events="+narrowIndex(t, node, "rights-narrow", "bytes", "byte"))...),
		{"replay", "replay", "--sink", "events", "--lake", lake, "--url", narrowIndex(t, node, "rights-mended", "bytes", "long")},
	} {
		r := mustRun(t, as(e, call[0]), call[1:]...)
		find.in(t, "what "+call[1]+" says", []byte(r.stdout+r.stderr))
	}
	reveal := func(caller, output string) result {
		token := sql(t, objects, "SELECT client_ip FROM events ORDER BY position LIMIT 1")[0][0]
		r := run(t, as(e, caller), "reveal", "--case", "C-5", "--vault", lake+"/"+output, "--vault-key", "env://VAULT_KEY", "--audit", e.in("audit.log"), token)
		find.in(t, "what reveal says", []byte(r.stdout+r.stderr))
		return r
	}
	address, _, _ := strings.Cut(string(readFile(t, glob(t, e.in("logs", "access*"))[0])), " ")
	if r := reveal("reveal", "vault"); r.code != 0 || strings.TrimSpace(r.stdout) != address {
		t.Errorf("the token of the first line's address stands for %q, want %s: exit code %d, %s", r.stdout, address, r.code, r.stderr)
	}
	if find.folder(t, objects, "") == 0 {
		t.Error("no object of the lake was looked through")
	}
	find.folder(t, e.home, "")
	g.check(t, "plan", "run-batch", "report", "generate", "replay", "reveal")

	// Who may read the lake may not read its vault, not even with the vault's key, and
	// who may read that may read nothing else.
	for caller, output := range map[string]string{"report": "vault", "look": "vault", "replay": "vault", "plan": "vault", "reveal": "events"} {
		if r := reveal(caller, output); r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "AccessDenied") {
			t.Errorf("%s with the rights of %s: exit code %d, %q, %s", output, caller, r.code, r.stdout, r.stderr)
		}
	}

	for caller, args := range map[string][]string{
		"look":     web(),
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
