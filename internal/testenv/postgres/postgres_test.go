package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestEachTestHasADatabaseAndLoginsAreChecked(t *testing.T) {
	node := Server(t)
	first, second := node.Connect(t, node.Database(t)), node.Connect(t, node.Database(t))
	for _, conn := range []*pgx.Conn{first, second} {
		if _, err := conn.Exec(t.Context(), "CREATE TABLE rows (n INTEGER)"); err != nil {
			t.Fatal(err)
		}
	}
	var version int
	if err := first.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil || version < 150000 {
		t.Errorf("version %d, %v; MERGE came with 15", version, err)
	}
	if _, err := pgx.Connect(t.Context(), strings.Replace(node.URL("postgres"), Password, "wrong", 1)); err == nil {
		t.Error("a wrong password opens a connection")
	}
}

func TestFoldersThatOthersCannotReachAreKnown(t *testing.T) {
	if dir := t.TempDir(); open(dir + "/none") {
		t.Error("a folder that is not there can be reached")
	}
	if !open("/") {
		t.Error("the root cannot be reached")
	}
}
