package lakeio

import "millrace/io/driver"

// Parameters documents the URL parameters of a scheme, file or s3.
func Parameters(scheme string) []driver.Parameter {
	list := []driver.Parameter{
		{Name: "format", Type: "format", Source: true, Doc: "format of the lines, as --format takes it; without it, each file's is detected, and that of each row of an archive is the one it was read by"},
		{Name: "split", Type: "size", Default: driver.FormatBytes(defaultSplit), Source: true, Doc: "ranges of a plain file that are read side by side"},
		{Name: "block", Type: "size", Default: driver.FormatBytes(defaultBlock), Source: true, Doc: "about how much one block holds, 256MiB at most"},
		{Name: "max_line", Type: "size", Default: driver.FormatBytes(defaultMaxLine), Source: true, Doc: "a longer line becomes a bad row, 256MiB at most"},
	}
	if scheme == "s3" {
		list = append(
			list,
			driver.Parameter{Name: "region", Type: "text", Source: true, Sink: true, Doc: "region of the bucket; without it, that of the AWS configuration"},
			driver.Parameter{Name: "sse", Type: "aws:kms or AES256", Sink: true, Doc: "how the server encrypts what is written; without it, as the bucket says"},
			driver.Parameter{Name: "kms_key_id", Type: "text", Sink: true, Doc: "key for sse=aws:kms; without it, the account's own"},
		)
	}
	return list
}
