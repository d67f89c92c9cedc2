// Package vault reads back what a token stands for, for those who may, and keeps
// a record of every reading.
//
// A vault is the output vault of a job: a folder or s3:// prefix of Parquet files whose
// rows have token, key id of the vault's key, and the value sealed by mask.Vault. It
// takes two rights to read it: the files, and the vault's key, which is not the masking
// key. Readers of the other outputs have neither. No reading goes unrecorded: the line
// in the audit log is on disk before the value is opened.
package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/maskkey"
	"millrace/internal/parquetlimit"
	"millrace/io/lakeio"
	"millrace/transforms/mask"
)

// Row is what is needed of a row of a vault.
type Row struct {
	Token  string `parquet:"token"`
	KeyID  string `parquet:"key_id"` // of the vault's key
	Sealed []byte `parquet:"sealed"`
}

// Request is what someone wants to know, and why.
type Request struct {
	Token string
	Case  string // number of the case that gives the right to ask
	Who   string // who asks
	Dir   string // folder or s3:// prefix of the vault's files, searched with all below it
	Keys  maskkey.Ring
	Audit string // file that gets a line for every request
}

// entry is a line of the audit log. It never holds a value.
type entry struct {
	Time   time.Time `json:"time"`
	Case   string    `json:"case"`
	Who    string    `json:"who"`
	Token  string    `json:"token"`
	Result string    `json:"result"` // asked, revealed, unknown, failed
}

// ErrUnknown tells that the vault has no row of a token.
var ErrUnknown = errors.New("the vault has no row of this token: it was never reversible, or was erased")

const maxCase = 64

func (r Request) validate() error {
	var faults []error
	if _, _, ok := mask.IsToken([]byte(r.Token)); !ok {
		faults = append(faults, errors.New("that is no token: give it whole, tok_TYPE_KEY_CODE"))
	}
	if r.Case == "" || len(r.Case) > maxCase || strings.ContainsFunc(r.Case, func(c rune) bool { return c < ' ' }) {
		faults = append(faults, fmt.Errorf("no case number: name the case that gives the right to ask, up to %d characters", maxCase))
	}
	if r.Who == "" || r.Audit == "" || r.Dir == "" {
		faults = append(faults, errors.New("a vault, an audit log and the name of who asks are needed"))
	}
	return errors.Join(faults...)
}

// Reveal returns what a token stands for, in its normal form. Each request is two
// lines of the audit log: that it was made, before anything is read, and what came
// of it. Without the first there is no answer.
func Reveal(ctx context.Context, r Request) (string, error) {
	if err := r.validate(); err != nil {
		return "", fmt.Errorf("revealing a token: %w", err)
	}
	if err := record(r, "asked"); err != nil {
		return "", fmt.Errorf("revealing a token: writing the audit log %s, without which nothing is shown: %w", r.Audit, err)
	}
	value, err := open(ctx, r)
	result := "revealed"
	switch {
	case errors.Is(err, ErrUnknown):
		result = "unknown"
	case err != nil:
		result = "failed"
	}
	if logged := record(r, result); logged != nil {
		return "", fmt.Errorf("revealing a token: writing the audit log %s, without which nothing is shown: %w", r.Audit, logged)
	}
	if err != nil {
		return "", fmt.Errorf("revealing a token: %w", err)
	}
	return value, nil
}

func open(ctx context.Context, r Request) (string, error) {
	row, err := find(ctx, r.Dir, r.Token)
	if err != nil {
		return "", err
	}
	key, ok := r.Keys.Lookup(row.KeyID)
	if !ok {
		return "", fmt.Errorf("its row was sealed with key %s, which is not among those given: name the ring that has it", row.KeyID)
	}
	v, err := mask.NewVault(key.Secret())
	if err != nil {
		return "", err
	}
	value, err := v.Open(nil, []byte(r.Token), row.Sealed)
	return string(value), err
}

// find searches the files for the row of a token.
func find(ctx context.Context, place, token string) (Row, error) {
	store, err := lakeio.OpenStore(ctx, place)
	if err != nil {
		return Row{}, err
	}
	files, err := store.List(ctx, "")
	if err != nil {
		return Row{}, err
	}
	for _, f := range files {
		if path.Ext(f.Key) != ".parquet" {
			continue
		}
		content, _, err := lakeio.ReadAll(ctx, store, f.Key, maxVaultFile)
		if err != nil {
			return Row{}, err
		}
		found, err := findIn(content, token)
		if err != nil {
			return Row{}, fmt.Errorf("reading %s of the vault: %w", store.Name(f.Key), err)
		}
		if found != nil {
			return *found, nil
		}
	}
	return Row{}, ErrUnknown
}

// maxVaultFile bounds a file of the vault, which is read as a whole.
const maxVaultFile = 1 << 30

func findIn(content []byte, token string) (*Row, error) {
	file, err := parquetlimit.OpenTable(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	var at [3]int
	for i, name := range []string{"token", "key_id", "sealed"} {
		leaf, ok := file.Schema().Lookup(name)
		if !ok || leaf.Node.Type().Kind() != parquet.ByteArray {
			return nil, fmt.Errorf("it has no column %s of bytes", name)
		}
		at[i] = leaf.ColumnIndex
	}
	row, err := numberOf(file, at[0], token)
	if err != nil || row < 0 {
		return nil, err
	}
	found := Row{Token: token}
	var passed [3]int64
	err = parquetlimit.Values(file, func(column int, v parquet.Value) error {
		for i, c := range at {
			if c != column {
				continue
			}
			if passed[i]++; passed[i] == row+1 && i == 1 {
				found.KeyID = string(v.ByteArray())
			} else if passed[i] == row+1 && i == 2 {
				found.Sealed = bytes.Clone(v.ByteArray())
			}
		}
		return nil
	})
	return &found, err
}

// numberOf is the number of the row with a token; -1 without one.
func numberOf(file *parquet.File, column int, token string) (row int64, err error) {
	n, row := int64(0), int64(-1)
	err = parquetlimit.Values(file, func(c int, v parquet.Value) error {
		if c != column {
			return nil
		}
		if string(v.ByteArray()) == token && row < 0 {
			row = n
		}
		n++
		return nil
	})
	return row, err
}

// record appends a line to the audit log and waits until it is on disk.
func record(r Request, result string) error {
	line, err := json.Marshal(entry{time.Now().UTC(), r.Case, r.Who, r.Token, result})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(r.Audit, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
