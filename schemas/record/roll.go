package record

import (
	"fmt"
	"strings"
)

// RollOf names the roll of a shard that begins with a stream record: the shard's
// identity, a slash and the sequence number of that record, as Sequence writes it.
func RollOf(shard Identity, first string) string { return shard.String() + "/" + first }

// ParseRoll reads the name of a roll.
func ParseRoll(roll string) (shard Identity, first string, err error) {
	source, first, found := strings.Cut(roll, "/")
	if shard, err = ParseIdentity(source); err != nil || !found || !IsSequence(first) {
		return Identity{}, "", fmt.Errorf("roll %q is not named by a shard's identity (32 hex digits), a slash and a sequence number (%d digits or more)", roll, sequenceDigits)
	}
	return shard, first, nil
}
