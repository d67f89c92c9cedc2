package run

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/parquet-go/parquet-go"

	"millrace/internal/testenv"
	"millrace/transforms"
	"millrace/transforms/enrich"
)

type siteRow struct {
	Host string `parquet:"host"`
	Site string `parquet:"site"`
}

// TestReferenceDataOnS3 reads databases and tables of codes of every format from a real
// S3 server, sees a newer one by its ETag, and takes the date that is asked for.
func TestReferenceDataOnS3(t *testing.T) {
	server := testenv.S3(t)
	client := server.Client(t)
	put := func(name string, content []byte) {
		t.Helper()
		key := "tables/" + name
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: &key, Body: bytes.NewReader(content)}); err != nil {
			t.Fatal(err)
		}
	}
	var rows bytes.Buffer
	if err := parquet.Write(&rows, []siteRow{{"shop.example", "Shop"}}); err != nil {
		t.Fatal(err)
	}
	city, err := os.ReadFile(filepath.Join(testenv.Root(t), "transforms/enrich/testdata/geoip/GeoLite2-City-Test.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	put("city.mmdb", city)
	put("sites.csv", []byte("host,site\nshop.example,Shop\n"))
	put("sites.ndjson", []byte(`{"host":"shop.example","site":"Shop"}`+"\n"))
	put("sites.parquet", rows.Bytes())
	put("sites-2026-11-01.csv", []byte("host,site\nshop.example,Old shop\n"))
	put("sites-2026-11-20.csv", []byte("host,site\nshop.example,New shop\n"))
	put("broken.csv", []byte("host,site\nshop.example\n"))
	place := func(name string) string { return "s3://" + server.Bucket + "/tables/" + name }
	versions := func(r transforms.References) ([]string, error) {
		if r.CodesBy = "host"; r.Missing == "" {
			r.Missing = enrich.Fail
		}
		return r.Versions(t.Context(), false)
	}
	seen := map[string]string{}
	for _, name := range []string{"sites.csv", "sites.ndjson", "sites.parquet"} {
		got, err := versions(transforms.References{Codes: place(name), Geo: place("city.mmdb")})
		if err != nil || len(got) != 2 || !strings.HasPrefix(got[0], "codes=") || !strings.HasPrefix(got[1], "geo=") {
			t.Errorf("%s: %q, %v", name, got, err)
			continue
		}
		seen[got[0]] = name
	}
	if len(seen) != 3 {
		t.Errorf("versions of three files: %v", seen)
	}
	at := func(asOf string) string {
		got, err := versions(transforms.References{Codes: place("sites-{date}.csv"), AsOf: asOf})
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	if old, recent, between := at("2026-11-01"), at(""), at("2026-11-19"); old == recent || between != old {
		t.Errorf("as of the first %s, as of a day between %s, the newest %s", old, between, recent)
	}
	for _, name := range []string{"gone.csv", "broken.csv", "gone.mmdb"} {
		r := transforms.References{Codes: place(name)}
		if strings.HasSuffix(name, ".mmdb") {
			r = transforms.References{Geo: place(name)}
		}
		if _, err := versions(r); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		r.Missing = enrich.Flag
		if got, err := versions(r); err != nil || !slices.ContainsFunc(got, func(v string) bool { return strings.HasSuffix(v, "=missing") }) {
			t.Errorf("%s, flagged: %q, %v", name, got, err)
		}
	}
	// An unchanged object is not read again; a changed one is.
	_, etag, _, err := openReference(t.Context(), place("sites.csv"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if content, _, unchanged, err := openReference(t.Context(), place("sites.csv"), "", etag); err != nil || !unchanged || content != nil {
		t.Errorf("the same object: %q, %t, %v", content, unchanged, err)
	}
	put("sites.csv", []byte("host,site\nshop.example,Other\n"))
	if content, _, unchanged, err := openReference(t.Context(), place("sites.csv"), "", etag); err != nil || unchanged || !strings.Contains(string(content), "Other") {
		t.Errorf("another object: %q, %t, %v", content, unchanged, err)
	}
}
