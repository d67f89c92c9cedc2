package weblogs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"millrace/jobs/weblogs"
	"millrace/transforms"
	"millrace/transforms/mask"
)

// TestAPolicyHoldsInEveryOutputWhateverBringsTheLines: pages are redacted, so that top
// pages and sessions know none, users and findings have reversible tokens.
func TestAPolicyHoldsInEveryOutputWhateverBringsTheLines(t *testing.T) {
	secret := [32]byte{}
	for i := range secret {
		secret[i] = 0xab // as common has it
	}
	token := func(typ, value string) string { return mask.Token("k1", secret, typ, []byte(value)) }
	vaultRow := func(at int64, token, value string) string {
		return fmt.Sprintf("event_time=%d token=%s key_id=v1 sealed=%d bytes", at, token, len(value)+12+16)
	}
	// The campaign of the third line has the same address as the query of the first.
	wantVault := []string{
		vaultRow(ms, token("email", "ann@example.com"), "ann@example.com"), vaultRow(ms+20_000, token("email", "ann@example.com"), "ann@example.com"),
		vaultRow(ms+1_830_000, token("user", "ann"), "ann"),
	}
	wantPages := []string{fmt.Sprintf("window_start=%d rank=1 path=REDACTED views=5 window_seconds=3600 version=5 exact=1 views_error=0", ms)}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			if name == "live" {
				c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			}
			key := filepath.Join(t.TempDir(), "vault.key")
			if err := os.WriteFile(key, []byte("v1:"+strings.Repeat("cd", 32)), 0o600); err != nil {
				t.Fatal(err)
			}
			c.VaultRef = "file://" + key
			c.Policy = &mask.Policy{
				Fields:     map[string]mask.Rule{"path": {Class: mask.Text, Method: mask.Redact}},
				Reversible: []mask.Class{mask.User, mask.Class(mask.Email)},
			}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := weblogs.Build(s, weblogs.Defaults(), c, source(s))
				passert.EqualsList(s.Scope("vault"), beam.ParDo(s, showRows, out.Rows["vault"]), wantVault)
				passert.EqualsList(s.Scope("top_pages"), beam.ParDo(s, showRows, out.Rows["top_pages"]), wantPages)
				passert.Empty(s.Scope("raw"), beam.ParDo(s, showRows, out.Rows["raw"]))
			})
		})
	}
}
