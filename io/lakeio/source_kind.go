package lakeio

import (
	"bytes"
	"errors"

	"millrace/io/driver"
)

// kinds are what people point a log reader at by mistake, by their first bytes.
var kinds = []struct {
	at    int
	magic string
	name  string
	cure  string
}{
	{0, "\x1f\x8b", "a gzip file", "decompress it once"},
	{0, "PK\x03\x04", "a zip archive", "unpack it (unzip)"},
	{0, "PK\x05\x06", "an empty zip archive", "take it out of the source"},
	{0, "BZh", "a bzip2 file", "decompress it (bunzip2) or compress it as gzip"},
	{0, "\xfd7zXZ\x00", "an xz file", "decompress it (unxz) or compress it as gzip"},
	{0, "\x28\xb5\x2f\xfd", "a zstd file", "decompress it (unzstd) or compress it as gzip"},
	{0, "\x04\x22\x4d\x18", "an lz4 file", "decompress it (unlz4) or compress it as gzip"},
	{0, "\x1f\x9d", "a compress (.Z) file", "decompress it (uncompress) or compress it as gzip"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it (7z x)"},
	{0, "PAR1\x15", "a Parquet file", "name raw log files as the source, not a lake"},
	{0, "Obj\x01", "an Avro file", "name raw log files as the source"},
	{0, "SQLite format 3\x00", "an SQLite database", "name raw log files as the source"},
	{0, "\x7fELF", "a program", "name raw log files as the source"},
	{0, "%PDF-", "a PDF document", "name raw log files as the source"},
	{0, "\xff\xfe", "UTF-16 text", "convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"},
	{0, "\xfe\xff", "UTF-16 text", "convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"},
	{257, "ustar", "a tar archive", "unpack it (tar x)"},
}

const magicBytes = 512 // a tar header

// refuseKind reports a head that cannot be that of a log; around says what was
// unwrapped to get there. Other binary content passes: it becomes bad rows.
func refuseKind(file string, head []byte, around string) error {
	for _, k := range kinds {
		if len(head) < k.at || !bytes.HasPrefix(head[k.at:], []byte(k.magic)) {
			continue
		}
		if k.magic == "BZh" && !isBzip2(head) {
			continue
		}
		return &driver.Error{
			Doing: "read", Object: file, Class: driver.ErrInvalid,
			Cause: errors.New("it is " + around + k.name + ", not a log in text or gzip"), Cure: k.cure,
		}
	}
	return nil
}

// isBzip2 needs more than the three letters, which a line could begin with.
func isBzip2(head []byte) bool {
	return len(head) >= 10 && head[3] >= '1' && head[3] <= '9' &&
		(bytes.HasPrefix(head[4:], []byte("1AY&SY")) || bytes.HasPrefix(head[4:], []byte("\x17\x72\x45\x38\x50\x90")))
}
