package kinesisio

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Which reader a shard belongs to:
//
//   - The shards that exist at Begin are dealt out there, the open ones evenly. A
//     closed one goes to the reader of the shard that its first hash key went to.
//   - A shard that comes later belongs to the reader of its parent that had its
//     first hash key. A split stays where it was; of a merge exactly one of the two
//     readers takes the child, and both know which.
//
// So a reader learns of all its shards when one of its own ends, without asking
// for others and without another reader's word.

// asState is a listed shard that nothing was read of.
func asState(s types.Shard) *shardState {
	state := &shardState{ID: aws.ToString(s.ShardId)}
	if s.HashKeyRange != nil {
		state.First, state.Last = aws.ToString(s.HashKeyRange.StartingHashKey), aws.ToString(s.HashKeyRange.EndingHashKey)
	}
	for _, parent := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if aws.ToString(parent) != "" {
			state.Parents = append(state.Parents, *parent)
		}
	}
	return state
}

func isOpen(s types.Shard) bool {
	return s.SequenceNumberRange == nil || aws.ToString(s.SequenceNumberRange.EndingSequenceNumber) == ""
}

// lineage is what a listing says of shards and their parents.
type lineage struct {
	shards map[string]*shardState
	open   map[string]bool
	ids    []string // in order
}

func newLineage(shards []types.Shard) *lineage {
	l := &lineage{shards: map[string]*shardState{}, open: map[string]bool{}}
	for _, s := range shards {
		state := asState(s)
		if _, known := l.shards[state.ID]; known || state.check() != nil {
			continue
		}
		l.shards[state.ID], l.open[state.ID] = state, isOpen(s)
		l.ids = append(l.ids, state.ID)
	}
	slices.SortFunc(l.ids, compareShards)
	return l
}

// compareShards orders shard ids by age: the service numbers them.
func compareShards(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// deal tells the reader, of so many, of each shard in the listing.
func (l *lineage) deal(readers int) map[string]int {
	owner := map[string]int{}
	next := 0
	for _, id := range l.ids {
		if l.open[id] {
			owner[id] = next % readers
			next++
		}
	}
	for _, id := range slices.Backward(l.ids) { // children come before their parents
		if l.open[id] {
			continue
		}
		if heir := l.heir(id); heir != nil {
			owner[id] = owner[heir.ID]
			continue
		}
		owner[id] = next % readers
		next++
	}
	return owner
}

// heir is the child that a closed shard's first hash key went to.
func (l *lineage) heir(id string) *shardState {
	parent := l.shards[id]
	for _, child := range l.childrenOf(id) {
		if child.hashes().contains(parent.hashes().first) {
			return child
		}
	}
	return nil
}

func (l *lineage) childrenOf(id string) []*shardState {
	var children []*shardState
	for _, other := range l.ids {
		if s := l.shards[other]; slices.Contains(s.Parents, id) {
			children = append(children, s)
		}
	}
	return children
}

// successors are the shards that the reader of a closed shard goes on with. They
// are not found yet when a listing has the shard but no child of it. Of a shard
// that is itself no longer listed, they are the oldest that came to its hash keys:
// its children may have come and gone while nobody read.
func (l *lineage) successors(closed *shardState) (heirs []*shardState, found bool) {
	_, listed := l.shards[closed.ID]
	children := l.childrenOf(closed.ID)
	if listed && len(children) == 0 {
		return nil, false
	}
	for _, id := range l.ids {
		s := l.shards[id]
		switch {
		case !closed.covers(s) || compareShards(id, closed.ID) <= 0:
		case slices.Contains(s.Parents, closed.ID), !listed && !l.hasCover(s):
			heirs = append(heirs, s)
		}
	}
	return heirs, true
}

// hasCover tells whether the parent of a shard that had its first hash key is
// listed.
func (l *lineage) hasCover(s *shardState) bool {
	return slices.ContainsFunc(s.Parents, func(id string) bool {
		parent, listed := l.shards[id]
		return listed && parent.covers(s)
	})
}

// isAncestor tells whether a shard has one of some shards among its descendants.
// Lines that were split and merged again and again meet in the same shards.
func (l *lineage) isAncestor(id string, of map[string]*shardPosition) bool {
	seen := map[string]bool{id: true}
	for next := []string{id}; len(next) > 0; {
		last := len(next) - 1
		id, next = next[last], next[:last]
		for _, child := range l.childrenOf(id) {
			if _, is := of[child.ID]; is {
				return true
			}
			if !seen[child.ID] {
				seen[child.ID] = true
				next = append(next, child.ID)
			}
		}
	}
	return false
}
