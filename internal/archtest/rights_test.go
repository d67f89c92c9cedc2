package archtest

import (
	"encoding/json"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// actions are those of IAM that a call of the AWS SDK takes.
var actions = map[string][]string{
	"kinesis.DescribeStreamSummary": {"kinesis:DescribeStreamSummary"},
	"kinesis.GetRecords":            {"kinesis:GetRecords"},
	"kinesis.GetShardIterator":      {"kinesis:GetShardIterator"},
	"kinesis.ListShards":            {"kinesis:ListShards"},
	"kinesis.PutRecords":            {"kinesis:PutRecords"},

	"kms.Decrypt":         {"kms:Decrypt"},
	"kms.GenerateDataKey": {"kms:GenerateDataKey"},

	"s3.AbortMultipartUpload":    {"s3:AbortMultipartUpload"},
	"s3.CompleteMultipartUpload": {"s3:PutObject"},
	"s3.CopyObject":              {"s3:GetObject", "s3:PutObject"},
	"s3.CreateMultipartUpload":   {"s3:PutObject"},
	"s3.DeleteObjects":           {"s3:DeleteObject"},
	"s3.GetObject":               {"s3:GetObject"},
	"s3.HeadObject":              {"s3:GetObject"},
	"s3.ListMultipartUploads":    {"s3:ListBucketMultipartUploads"},
	"s3.ListObjectsV2":           {"s3:ListBucket"},
	"s3.PutObject":               {"s3:PutObject"},
	"s3.UploadPart":              {"s3:PutObject"},
}

// TestPoliciesNameWhatIsCalled holds the calls in the source against the documented
// policies: a new call needs a right, and no right is left that nothing needs.
// That each program gets along with its own policy is seen in internal/e2e.
func TestPoliciesNameWhatIsCalled(t *testing.T) {
	needed, calls := map[string]bool{}, map[string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file.Name, "_test.go") || !regexp.MustCompile(`^(cmd|io|jobs|runners|transforms|internal/(run|operate|generate|report|maskkey))/`).MatchString(file.Name) || strings.HasPrefix(file.Name, "io/iotest/") {
			continue
		}
		ast.Inspect(file.File, func(n ast.Node) bool {
			made, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			// Each call takes a pointer to its own structure of arguments.
			if of, ok := made.Type.(*ast.SelectorExpr); ok && strings.HasSuffix(of.Sel.Name, "Input") {
				if pkg, ok := of.X.(*ast.Ident); ok && (pkg.Name == "s3" || pkg.Name == "kinesis" || pkg.Name == "kms") {
					calls[pkg.Name+"."+strings.TrimSuffix(of.Sel.Name, "Input")] = true
				}
			}
			return true
		})
	}
	for call := range calls {
		if actions[call] == nil {
			t.Errorf("it is not known here which rights %s takes", call)
		}
		for _, action := range actions[call] {
			needed[action] = true
		}
	}
	if want := slices.Sorted(maps.Keys(actions)); !cmp.Equal(want, slices.Sorted(maps.Keys(calls))) {
		t.Errorf("calls (-known here +in the source):\n%s", cmp.Diff(want, slices.Sorted(maps.Keys(calls))))
	}

	text, allowed := read(t, "docs/security.md"), map[string]bool{}
	var readers []string // of the vault
	policies := files(t, ".json")
	policies = slices.DeleteFunc(policies, func(name string) bool { return path.Dir(name) != "docs/iam" })
	for _, name := range policies {
		if !strings.Contains(text, "]("+strings.TrimPrefix(name, "docs/")+")") {
			t.Errorf("docs/security.md does not lead to %s", name)
		}
		var policy struct {
			Version   string
			Statement []struct {
				Sid, Effect      string
				Action, Resource []string
				Condition        map[string]map[string]string
			}
		}
		decoder := json.NewDecoder(strings.NewReader(read(t, name)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&policy); err != nil || policy.Version != "2012-10-17" || len(policy.Statement) == 0 {
			t.Errorf("%s: version %q, %d statements, %v", name, policy.Version, len(policy.Statement), err)
		}
		opens, kept := false, false
		for _, s := range policy.Statement {
			vaultOnly := cmp.Equal(s.Resource, []string{"arn:aws:s3:::LAKE_BUCKET/LAKE/vault/*"})
			if s.Effect != "Allow" && (s.Effect != "Deny" || !vaultOnly) || s.Sid == "" || len(s.Resource) == 0 {
				t.Errorf("%s: statement %+v", name, s)
			}
			if slices.Contains(s.Action, "s3:GetObject") && (vaultOnly || slices.ContainsFunc(s.Resource, func(r string) bool {
				return r == "arn:aws:s3:::LAKE_BUCKET/LAKE/*" || strings.HasPrefix(r, "arn:aws:s3:::LAKE_BUCKET/LAKE/vault/")
			})) {
				opens, kept = true, kept || s.Effect == "Deny"
			}
			for _, action := range s.Action {
				allowed[action] = allowed[action] || s.Effect == "Allow"
			}
			for _, resource := range s.Resource {
				if !regexp.MustCompile(`^arn:aws:(s3:::|kinesis:\*:\*:stream/|kms:REGION:ACCOUNT:key/)(LOGS|LAKE|STREAM|ROWS|KEYS_BUCKET/RING|KEY_ID)`).MatchString(resource) {
					t.Errorf("%s: %s is more than one place", name, resource)
				}
			}
		}
		if opens && !kept {
			readers = append(readers, strings.TrimSuffix(path.Base(name), ".json"))
		}
	}
	// Of who reads a lake, only who writes it gets at the vault, and who asks for that.
	if diff := cmp.Diff([]string{"reveal", "run-batch", "run-live", "workers"}, readers); diff != "" {
		t.Errorf("policies that let read the vault (-want +do):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(allowed))); diff != "" {
		t.Errorf("actions (-called +allowed in %d policies):\n%s", len(policies), diff)
	}
}
