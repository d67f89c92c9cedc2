package transforms

import (
	"encoding/binary"
	"fmt"

	"millrace/schemas/table"
)

// Rows of several batches in one blob: a byte for this form, then of each batch its
// length and its bytes. Such blobs wait in state.
const rowsBlob = 1

func appendRows(blob []byte, rows table.Rows) ([]byte, error) {
	if len(blob) == 0 {
		blob = append(blob, rowsBlob)
	}
	b, err := table.EncodeRows(rows)
	if err != nil {
		return blob, err
	}
	return append(binary.AppendUvarint(blob, uint64(len(b))), b...), nil
}

// eachRows gives the batches of a packed blob.
func eachRows(packed []byte, use func(table.Rows) error) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	return eachUnpacked(blob, use)
}

// eachUnpacked gives the batches of a blob.
func eachUnpacked(blob []byte, use func(table.Rows) error) error {
	return eachEncoded(blob, func(b []byte) error {
		rows, err := table.DecodeRows(b)
		if err != nil {
			return err
		}
		return use(rows)
	})
}

// rowsReader is eachRows for many blobs: what it gives holds until the next batch.
type rowsReader struct {
	unpack unpacker
	spent  *table.Batch // nil for none
}

func (r *rowsReader) each(packed []byte, use func(table.Rows) error) error {
	blob, err := r.unpack.unpack(packed)
	if err != nil {
		return err
	}
	return eachEncoded(blob, func(b []byte) error {
		rows, err := table.DecodeRowsInto(r.spent, b)
		if r.spent = rows.Batch; err != nil {
			return err
		}
		return use(rows)
	})
}

func eachEncoded(blob []byte, use func([]byte) error) error {
	if len(blob) == 0 || blob[0] != rowsBlob {
		return fmt.Errorf("rows in a form that this program does not read, which is form %d: resume with the version of the program that wrote them", rowsBlob)
	}
	for rest := blob[1:]; len(rest) > 0; {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return fmt.Errorf("decoding rows: %w", table.ErrCorrupt)
		}
		if err := use(rest[k : k+int(n)]); err != nil {
			return err
		}
		rest = rest[k+int(n):]
	}
	return nil
}
