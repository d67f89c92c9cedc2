package kinesisio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/record"
)

// aggregatedRecord is the message of the Kinesis Producer Library, as its
// documentation defines it, for protobuf's own library.
func aggregatedRecord(tb testing.TB) protoreflect.MessageDescriptor {
	tb.Helper()
	field := func(name string, number int32, label descriptorpb.FieldDescriptorProto_Label, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: &label, Type: &kind}
	}
	const (
		repeated = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
		optional = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
		required = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED
	)
	records := field("records", 3, repeated, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	records.TypeName = proto.String(".Record")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("kpl.proto"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("AggregatedRecord"), Field: []*descriptorpb.FieldDescriptorProto{
				// As bytes: what is text in the format is not ours to refuse.
				field("partition_key_table", 1, repeated, descriptorpb.FieldDescriptorProto_TYPE_BYTES),
				field("explicit_hash_key_table", 2, repeated, descriptorpb.FieldDescriptorProto_TYPE_BYTES),
				records,
			}},
			{Name: proto.String("Record"), Field: []*descriptorpb.FieldDescriptorProto{
				field("partition_key_index", 1, required, descriptorpb.FieldDescriptorProto_TYPE_UINT64),
				field("explicit_hash_key_index", 2, optional, descriptorpb.FieldDescriptorProto_TYPE_UINT64),
				field("data", 3, required, descriptorpb.FieldDescriptorProto_TYPE_BYTES),
			}},
		},
	}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return file.Messages().ByName("AggregatedRecord")
}

// FuzzAggregated compares how a message is taken apart with protobuf's own
// library.
func FuzzAggregated(tf *testing.F) {
	f := mutate.Of(tf)
	descriptor := aggregatedRecord(f)
	record := descriptor.Fields().ByNumber(3).Message().Fields()
	f.Add([]byte("\x0a\x01k\x1a\x05\x08\x00\x1a\x01x"))
	f.Fuzz(func(t *testing.T, message []byte) {
		got, ok := deaggregate(sealAggregate(message), wholeRange)
		m := dynamicpb.NewMessage(descriptor)
		err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(message, m)
		if err != nil {
			if ok && hasGroup(message, false) {
				t.Fatalf("%x has groups and is taken apart", message)
			}
			return // what protobuf refuses and we read is harmless: the digest was right
		}
		var want [][]byte
		sound := true
		list := m.Get(descriptor.Fields().ByNumber(3)).List()
		keys, hashes := m.Get(descriptor.Fields().ByNumber(1)).List().Len(), m.Get(descriptor.Fields().ByNumber(2)).List().Len()
		for i := range list.Len() {
			r := list.Get(i).Message()
			sound = sound && r.Get(record.ByNumber(1)).Uint() < uint64(keys)
			if r.Has(record.ByNumber(2)) {
				sound = sound && r.Get(record.ByNumber(2)).Uint() < uint64(hashes)
			}
			want = append(want, r.Get(record.ByNumber(3)).Bytes())
		}
		if !ok && sound && !hasGroup(message, false) {
			t.Fatalf("protobuf reads %d user records of %x, and we none", len(want), message)
		}
		if ok && (!sound || !slices.EqualFunc(want, got, bytes.Equal)) {
			t.Fatalf("%x gives %q, protobuf %q (sound: %v)", message, got, want, sound)
		}
	})
}

// hasGroup tells whether protobuf has passed over groups, which the format never
// had and we refuse.
func hasGroup(message []byte, nested bool) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 || kind == protowire.StartGroupType {
			return true
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return true
		}
		if !nested && number == 3 && kind == protowire.BytesType {
			if record, _ := protowire.ConsumeBytes(message[n:]); hasGroup(record, true) {
				return true
			}
		}
		message = message[n+size:]
	}
	return false
}

// FuzzPlace reads any text as the URL of a stream: what is accepted names it again
// by its own text, and errors have a class and no credential.
func FuzzPlace(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("kinesis://logs?region=eu-west-1")
	f.Add("kinesis://arn:aws:kinesis:eu-west-1:123456789012:stream/logs")
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parsePlace(raw)
		if err != nil {
			var known *driver.Error
			if !errors.Is(err, driver.ErrInvalid) || !errors.As(err, &known) || known.Object == "" {
				t.Fatalf("%q gives %v", raw, err)
			}
			return
		}
		if !isStreamName(p.name) {
			t.Fatalf("%q is the stream %q", raw, p.name)
		}
		again, err := parsePlace(p.String())
		if err != nil || again.name != p.name || again.arn != p.arn {
			t.Fatalf("%q is %s, which is %+v, %v", raw, p, again, err)
		}
		if name, arn := p.target(); (name == nil) == (arn == nil) {
			t.Fatalf("%q is asked by %v and %v", raw, aws.ToString(name), aws.ToString(arn))
		}
	})
}

// FuzzOnward reads any text as what a roll says of how its shard is read on.
func FuzzOnward(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add(`{"v":1,"stream":"arn","shard":"s","first":"0","last":"9","clock":{"latest":5}}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := readOnward(&record.Close{Next: text})
		if err != nil {
			return
		}
		written, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readOnward(&record.Close{Next: string(written)})
		if err != nil {
			t.Fatalf("%s is not read: %v", written, err)
		}
		if rewritten, err := json.Marshal(again); err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%s becomes %s, %v", written, rewritten, err)
		}
	})
}

// fuzzShards makes shards of bytes: any may be a parent of any, itself included.
func fuzzShards(data []byte) (shards []types.Shard) {
	id := func(b byte) *string { return aws.String(fmt.Sprintf("shardId-%03d", b%32)) }
	for ; len(data) >= 5; data = data[5:] {
		s := types.Shard{
			ShardId:      id(data[0]),
			HashKeyRange: &types.HashKeyRange{StartingHashKey: aws.String(fmt.Sprint(data[3])), EndingHashKey: aws.String(fmt.Sprint(data[4]))},
		}
		if data[1] < 200 {
			s.ParentShardId = id(data[1])
		}
		if data[2] < 200 {
			s.AdjacentParentShardId = id(data[2])
		}
		if data[0] >= 128 {
			s.SequenceNumberRange = &types.SequenceNumberRange{EndingSequenceNumber: aws.String("1")}
		}
		shards = append(shards, s)
	}
	return shards
}

// FuzzLineage follows shards through any listing: each belongs to one reader, and
// nothing runs in a circle.
func FuzzLineage(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("\x80\xff\xff\x00\xff\x01\x00\xff\x00\x7f\x02\x00\xff\x80\xff"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, readers uint8) {
		l := newLineage(fuzzShards(data))
		n := int(readers%8) + 1
		owner := l.deal(n)
		if len(owner) != len(l.ids) {
			t.Fatalf("%d shards of %d are dealt out", len(owner), len(l.ids))
		}
		for id, reader := range owner {
			if reader < 0 || reader >= n {
				t.Fatalf("%s belongs to reader %d of %d", id, reader, n)
			}
			heirs, found := l.successors(l.shards[id])
			if !found && len(heirs) > 0 {
				t.Fatalf("%s has heirs that are not found", id)
			}
			for _, h := range heirs {
				if compareShards(h.ID, id) <= 0 {
					t.Fatalf("%s goes on as the older %s", id, h.ID)
				}
			}
			if l.isAncestor(id, map[string]*shardPosition{}) {
				t.Fatalf("%s is an ancestor of nothing", id)
			}
			for _, child := range l.childrenOf(id) {
				if !l.isAncestor(id, map[string]*shardPosition{child.ID: {}}) {
					t.Fatalf("%s is no ancestor of its child %s", id, child.ID)
				}
			}
		}
	})
}

// FuzzKeyTemplate reads any text as the partition key of rows: what is accepted
// makes a key that the service takes.
func FuzzKeyTemplate(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("{id}/{day}")
	f.Add("a{text}b{on}")
	b := batchOf(fullRow, everything{})
	f.Fuzz(func(t *testing.T, expression string) {
		key, err := parseKey(expression, everythings)
		if err != nil {
			return
		}
		for row := range b.Len() {
			text := key.append(nil, b, row)
			if made := partitionKey(text); made == "" || utf8.RuneCountInString(made) > maxKeyLength || !utf8.ValidString(made) {
				t.Fatalf("%q is the key %q", text, made)
			}
		}
	})
}
