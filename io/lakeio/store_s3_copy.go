package lakeio

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// copyFrom has S3 copy an object of the same bucket, which takes objects of up to
// 5 GiB: files of a lake are of some 256 MiB.
func (s *s3Store) copyFrom(ctx context.Context, from Store, object, key string) (done bool, err error) {
	source, ok := from.(*s3Store)
	if !ok || source.bucket != s.bucket {
		return false, nil
	}
	if err := checkKey(s, key); err != nil {
		return false, err
	}
	in := &s3.CopyObjectInput{
		Bucket: &s.bucket, Key: s.key(key), CopySource: copySource(source.bucket, source.prefix+object),
		MetadataDirective: types.MetadataDirectiveReplace,
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = s.encryption()
	if _, err := s.client.CopyObject(ctx, in); err != nil {
		return false, s3Error("write", s.Name(key), err)
	}
	return true, nil
}

// copySource names an object as the header of a copy wants it.
func copySource(bucket, key string) *string {
	escaped := strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(bucket + "/" + key))
	return &escaped
}
