package maskkey

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"millrace/internal/nearest"
)

// Keys of AWS KMS (awskms://KEY?dataset=NAME&ring=PLACE): data keys that KMS made
// and wrapped. The wrapped keys lie in a ring file, which tells nothing without
// KMS; a worker unwraps them once and keeps them in its memory only. Each is bound
// by KMS's encryption context to its dataset and its id, so that a wrapped key
// cannot be passed off as another's.

// kmsRef is such a reference, taken apart.
type kmsRef struct {
	key     string // id, ARN or alias
	dataset string
	ring    string // file:///path or s3://bucket/key
}

const kmsCure = "write awskms://alias/NAME?dataset=NAME&ring=s3://bucket/key, with a KMS key id, ARN or alias"

func parseKMS(rest string) (kmsRef, error) {
	key, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil || key == "" {
		return kmsRef{}, errors.New("it cannot be read: " + kmsCure)
	}
	r := kmsRef{key: key, dataset: values.Get("dataset"), ring: values.Get("ring")}
	for name := range values {
		if name != "dataset" && name != "ring" {
			if near := nearest.Name(name, []string{"dataset", "ring"}); near != "" {
				return kmsRef{}, fmt.Errorf("unknown parameter %s, did you mean %s?", name, near)
			}
			return kmsRef{}, fmt.Errorf("unknown parameter %s (there are dataset, ring)", name)
		}
	}
	if r.dataset == "" || r.ring == "" {
		return kmsRef{}, errors.New("dataset or ring is missing: " + kmsCure)
	}
	return r, nil
}

// bound is the encryption context of a wrapped key.
func (r kmsRef) bound(id string) map[string]string {
	return map[string]string{"millrace:dataset": r.dataset, "millrace:key_id": id}
}

// unwrapped holds the rings of this process by reference and content: KMS is asked
// once per worker, not once per DoFn.
var unwrapped = struct {
	sync.Mutex
	rings map[[sha256.Size]byte]Ring
}{rings: map[[sha256.Size]byte]Ring{}}

// fromKMS reads the ring and unwraps its keys.
func fromKMS(ctx context.Context, rest string) (Ring, error) {
	r, err := parseKMS(rest)
	if err != nil {
		return Ring{}, err
	}
	content, _, err := readRing(ctx, r.ring)
	if err != nil {
		return Ring{}, err
	}
	file, err := parseRing(content, r.dataset)
	if err != nil {
		return Ring{}, fmt.Errorf("ring %s: %w", r.ring, err)
	}
	name := sha256.Sum256(append([]byte(r.key+"\x00"+r.dataset+"\x00"), content...))
	unwrapped.Lock()
	defer unwrapped.Unlock() // also so that goroutines that start together ask once
	if ring, ok := unwrapped.rings[name]; ok {
		return ring, nil
	}
	client, err := kmsClient(ctx)
	if err != nil {
		return Ring{}, err
	}
	var keys []Key
	for _, w := range file.Keys {
		k, err := r.unwrap(ctx, client, w)
		if err != nil {
			return Ring{}, fmt.Errorf("unwrapping key %s of ring %s: %w", w.ID, r.ring, err)
		}
		keys = append(keys, k)
	}
	ring, err := NewRing(keys[0], keys[1:]...)
	if err == nil {
		unwrapped.rings[name] = ring
	}
	return ring, err
}

func kmsClient(ctx context.Context) (*kms.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return kms.NewFromConfig(cfg), nil
}

// unwrap asks KMS for a key and holds it against its check value.
func (r kmsRef) unwrap(ctx context.Context, client *kms.Client, w wrappedKey) (Key, error) {
	out, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: w.Wrapped, KeyId: aws.String(r.key), EncryptionContext: r.bound(w.ID)})
	if err != nil {
		return Key{}, kmsFault(err)
	}
	defer clear(out.Plaintext)
	if len(out.Plaintext) != Size {
		return Key{}, fmt.Errorf("it has %d bytes and should have %d: it is no masking key", len(out.Plaintext), Size)
	}
	k, err := New(w.ID, [Size]byte(out.Plaintext))
	if err != nil {
		return Key{}, err
	}
	if k.Check() != w.Check {
		return Key{}, errors.New("its check value differs from the ring's: the ring was changed; take it from a copy")
	}
	return k, nil
}

// kmsFault adds the cure to an answer of KMS. None of them holds a key.
func kmsFault(err error) error {
	var wrong *types.InvalidCiphertextException
	var key *types.IncorrectKeyException
	var gone *types.NotFoundException
	var off *types.DisabledException
	switch {
	case errors.As(err, &wrong), errors.As(err, &key):
		return fmt.Errorf("KMS did not wrap it for this key, dataset and id: name those it was made with: %w", err)
	case errors.As(err, &gone), errors.As(err, &off):
		return fmt.Errorf("name a KMS key that is there and enabled, in the right region: %w", err)
	}
	return fmt.Errorf("asking KMS, which needs kms:Decrypt and, for new keys, kms:GenerateDataKey: %w", err)
}

// AddKMS has KMS make a key, and puts it first in the ring of an awskms reference:
// it makes tokens from now on, and the older ones stay for joins with what they
// made. A ring that is not there is begun. The id is made from the key when empty.
// Two that add at the same moment: one gets an error and leaves the ring as it is.
func AddKMS(ctx context.Context, ref, id string) (Key, error) {
	rest, ok := strings.CutPrefix(ref, "awskms://")
	if !ok {
		return Key{}, errors.New("adding a mask key: the reference is not of KMS: " + kmsCure)
	}
	r, err := parseKMS(rest)
	if err != nil {
		return Key{}, fmt.Errorf("adding a mask key: %w", err)
	}
	k, err := r.add(ctx, id)
	if err != nil {
		return Key{}, fmt.Errorf("adding a mask key to ring %s: %w", r.ring, err)
	}
	return k, nil
}

func (r kmsRef) add(ctx context.Context, id string) (Key, error) {
	file := ringFile{Version: 1, Dataset: r.dataset}
	content, state, err := readRing(ctx, r.ring)
	switch {
	case errors.Is(err, errNoRing):
	case err != nil:
		return Key{}, err
	default:
		if file, err = parseRing(content, r.dataset); err != nil {
			return Key{}, err
		}
	}
	if id == "" {
		id = fmt.Sprintf("k%d", len(file.Keys)+1)
	}
	if !validID(id) {
		return Key{}, errors.New("key id: want 1 to 16 of a-z and 0-9")
	}
	for _, w := range file.Keys {
		if w.ID == id {
			return Key{}, fmt.Errorf("key id %s is in it already: name another", id)
		}
	}
	client, err := kmsClient(ctx)
	if err != nil {
		return Key{}, err
	}
	out, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(r.key), KeySpec: types.DataKeySpecAes256, EncryptionContext: r.bound(id)})
	if err != nil {
		return Key{}, kmsFault(err)
	}
	defer clear(out.Plaintext)
	k, err := New(id, [Size]byte(out.Plaintext))
	if err != nil {
		return Key{}, err
	}
	file.Keys = append([]wrappedKey{{ID: id, Wrapped: out.CiphertextBlob, Check: k.Check()}}, file.Keys...)
	return k, writeRing(ctx, r.ring, file, state)
}
