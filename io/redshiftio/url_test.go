package redshiftio

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func TestTheParametersOfASinkAreThoseItReads(t *testing.T) {
	var names []string
	for _, p := range Parameters() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	_, err := parse("redshift://team/db/public.rows?zzz=1", weblog.Events)
	if want := "(known: " + strings.Join(names, ", ") + ")"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

const place = "redshift://team/db/public.rows?stage=s3://b/p"

func TestURLsThatCannotBe(t *testing.T) {
	t.Setenv("LOGIN", "user:secret-word")
	t.Setenv("HALF", "secret-word")
	wire := strings.Replace(place, "team", "host.example:5439", 1) + "&via=wire"
	for url, part := range map[string]string{
		"postgres://team/db/public.rows":                                            "scheme postgres",
		"redshift:///db/public.rows?stage=s3://b/p":                                 "workgroup is missing",
		"redshift://team/db?stage=s3://b/p":                                         "a database and SCHEMA.TABLE",
		"redshift://team/db/rows?stage=s3://b/p":                                    "a database and SCHEMA.TABLE",
		"redshift://team/db/public.rows/x?stage=s3://b/p":                           "a database and SCHEMA.TABLE",
		"redshift://team/db/Public.rows?stage=s3://b/p":                             "a-z, 0-9",
		"redshift://team/db/public.ro'ws?stage=s3://b/p":                            "a-z, 0-9",
		"redshift://team/db/public." + strings.Repeat("r", 120) + "?stage=s3://b/p": "127 bytes",
		"redshift://team/d%20b/public.rows?stage=s3://b/p":                          "no space",
		"redshift://team/db/public.rows":                                            "add stage=",
		"redshift://team/db/public.rows?stage=file:///p":                            "no s3://",
		"redshift://team/db/public.rows?stage=s3://b/p%27":                          "no s3://",
		place + "&role=admin":                                                       "neither default nor",
		place + "&via=http":                                                         "one of data, wire",
		place + "&ca=x.pem":                                                         "ca is for via=wire",
		place + "&login_env=LOGIN":                                                  "login_env is for via=wire",
		place + "&login_arn=secret-word":                                            "not the ARN",
		place + "&db_user=me":                                                       "db_user is for a cluster",
		place + "&kms_key_id=k":                                                     "without sse",
		place + "&id=event_idd":                                                     "did you mean event_id?",
		place + "&rows=0":                                                           "at least 1",
		place + "&bytes=32MiB":                                                      "take 147 MiB",
		place + "&rows=1000000":                                                     "lower bytes or rows",
		place + "&timeout=1ms":                                                      "shorter than 1s",
		place + "&ddl=drop":                                                         "one of create, skip",
		strings.Replace(place, "team", "team:5439", 1):                              "no port",
		wire:                                     "login_env is not the name",
		wire + "&login_env=LOGIN&tls=false":      "as it stands",
		wire + "&login_env=LOGIN&tls=false&ca=x": "without TLS",
		wire + "&login_env=HALF":                 "does not hold user:password",
		wire + "&login_env=LOGIN&cluster=true":   "for via=data",
		strings.Replace(place, "team", "user:secret-word@team", 1):                         "credential",
		place + "&secret=secret-word":                                                      "credential",
		place + "&password=secret-word":                                                    "credential",
		strings.Replace(wire, "host.example:5439", "host:port:5", 1) + "&login_env=LOGIN":  "",
		strings.Replace(wire, "host.example:5439", "host:999999", 1) + "&login_env=LOGIN":  "",
		strings.Replace(place, "stage=s3://b/p", "stage=s3://b/p%3Fregion%3Deu-west-1", 1): "no s3://",
	} {
		_, err := Open(t.Context(), url, weblog.Events, driver.SinkOptions{})
		if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v, want %q", url, err, part)
		}
	}
}

func TestWhatURLsMean(t *testing.T) {
	t.Setenv("LOGIN", "user:pass:word")
	for url, want := range map[string]config{
		place: {host: "team", role: "default", create: true, rows: defaultRows, timeout: 15 * time.Minute},
		place + "&cluster=true&db_user=me&ddl=skip&rows=5&timeout=1m": {host: "team", cluster: true, dbUser: "me", role: "default", rows: 5, timeout: time.Minute},
		strings.Replace(place, "team", "h.example", 1) + "&via=wire&login_env=LOGIN": {
			host: "h.example:5439", wire: true, tls: true, user: "user", password: "pass:word", role: "default", create: true, rows: defaultRows, timeout: 15 * time.Minute,
		},
		strings.Replace(place, "team", "127.0.0.1:1", 1) + "&via=wire&login_env=LOGIN": {
			host: "127.0.0.1:1", wire: true, user: "user", password: "pass:word", role: "default", create: true, rows: defaultRows, timeout: 15 * time.Minute,
		},
	} {
		c, err := parse(url, weblog.Events)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		want.tls = want.tls || !want.wire // means nothing there
		if c.host != want.host || c.cluster != want.cluster || c.dbUser != want.dbUser || c.role != want.role || c.wire != want.wire || c.tls != want.tls ||
			c.user != want.user || c.password != want.password || c.create != want.create || c.rows != want.rows || c.timeout != want.timeout || c.memory() > maxMemory {
			t.Errorf("%s is %+v", url, c)
		}
	}
	c, err := parse(place+"&sse=aws:kms&kms_key_id=k&region=eu-west-1", weblog.Events)
	if err != nil || c.location() != "s3://b/p?kms_key_id=k&region=eu-west-1&sse=aws%3Akms" {
		t.Errorf("%v, %v", c.location(), err)
	}
}

func TestSchemasThatHaveTheSinksColumnsAreRefused(t *testing.T) {
	type row struct {
		At      table.Millis `col:"at,sort1,day" doc:"a time"`
		Sealed  bool         `col:"sealed" doc:"a truth"`
		Version int64        `col:"version" doc:"a number"`
	}
	if _, err := parse(place, table.MustOf[row]("redshiftio.own", 1)); err == nil || !strings.Contains(err.Error(), "have themselves") {
		t.Errorf("the error is %v", err)
	}
}

func TestFaultsOfStatementsAreTold(t *testing.T) {
	for text, want := range map[string]blame{
		"ERROR: 1023 DETAIL: Serializable isolation violation on table - 108263, transactions forming the cycle are: 3": blameTime,
		"ERROR: deadlock detected":                      blameTime,
		"ERROR: Query (15) cancelled on user's request": blameTime,
		"ERROR: S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey,Rid X":                         blameTime,
		"ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied":                                                blameRights,
		"ERROR: User arn:aws:redshift:eu-west-1:1:dbuser:c/u is not authorized to assume IAM Role arn:aws:iam::123456789012:r": blameRights,
		"ERROR: permission denied for relation rows":                                                                           blameRights,
		"ERROR: cannot execute INSERT in a read-only transaction":                                                              blameReadOnly,
		"ERROR: transaction is read-only":                                                                                      blameReadOnly,
		"ERROR: relation \"public.rows\" does not exist":                                                                       blameMissing,
		"ERROR: relation \"rows\" already exists":                                                                              blameExists,
		"ERROR: Spectrum Scan Error. File 'https://s3/x.parquet' has an incompatible Parquet schema for column":                blameStatement,
		"ERROR: Load into table 'rows' failed.  Check 'sys_load_error_detail' system table for details.":                       blameRow,
		"ERROR: Value too long for character type":                                                                             blameRow,
		"ERROR: Cannot insert a NULL value into column small":                                                                  blameRow,
		"ERROR: something that nobody has seen":                                                                                blameStatement,
	} {
		if got := (&sqlFault{text: text}).blame(); got != want {
			t.Errorf("%q is to blame on %d, want %d", text, got, want)
		}
	}
	for code, want := range map[string]blame{
		"40001": blameTime, "57P01": blameTime, "53300": blameTime, "22001": blameRow, "23502": blameRow, "42501": blameRights, "28P01": blameRights,
		"42P01": blameMissing, "3F000": blameMissing, "42701": blameExists, "42P07": blameExists, "42601": blameStatement,
	} {
		if got := (&sqlFault{code: code, text: "whatever"}).blame(); got != want {
			t.Errorf("%s is to blame on %d, want %d", code, got, want)
		}
	}
}

func FuzzFaultsOfStatements(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("", "ERROR: deadlock detected")
	f.Add("XX000", "S3ServiceException:Access Denied,Status 403\x00\xff")
	f.Add("4", strings.Repeat("value too long ", 100))
	c, err := parse(place, weblog.Events)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, code, text string) {
		err := c.failed(code, text)
		var known *sqlFault
		if !errors.As(err, &known) || len(known.text) > 1300 || passes(err) {
			t.Errorf("%q, %q gives %v", code, text, err)
		}
	})
}
