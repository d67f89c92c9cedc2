package lakeio

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"millrace/io/driver"
	"millrace/schemas/ledger"
)

// ledgerList is what lies below _ledger.
type ledgerList struct {
	single    map[string][]string // records that are objects of their own, by the folder of their day
	compacted map[string]bool     // folders with a compacted object
}

// listLedger lists until no compacted object has come since the listing before: a
// day that is compacted while it is listed may show neither that object, which
// was not there yet when its name was passed, nor the records, which are gone when
// their folder is reached. Records of all listings count; those that are gone
// since are known to be compacted.
func listLedger(ctx context.Context, s Store) (ledgerList, error) {
	l, err := listOnce(ctx, s)
	for err == nil {
		var next ledgerList
		if next, err = listOnce(ctx, s); err != nil {
			break
		}
		settled := maps.Equal(l.compacted, next.compacted)
		for folder, keys := range l.single {
			all := slices.Concat(next.single[folder], keys)
			slices.Sort(all)
			next.single[folder] = slices.Compact(all)
		}
		if l = next; settled {
			break
		}
	}
	return l, err
}

func listOnce(ctx context.Context, s Store) (ledgerList, error) {
	l := ledgerList{single: map[string][]string{}, compacted: map[string]bool{}}
	infos, err := s.List(ctx, ledgerDir+"/")
	for _, info := range infos {
		folder, compacted := folderOf(info.Key)
		switch {
		case compacted:
			l.compacted[folder] = true
		case path.Ext(info.Key) == ".json":
			l.single[folder] = append(l.single[folder], info.Key)
		}
	}
	return l, err
}

// walkLedger visits every commit record of a lake once, in no order. Records are
// few objects: those of past days are compacted, and others are read side by side.
func walkLedger(ctx context.Context, s Store, visit func(r *liveRecord) error) error {
	l, err := listLedger(ctx, s)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // an object of its own comes before the compacted one
	moved := map[string]bool{}
	var keys []string
	for _, list := range l.single {
		keys = append(keys, list...)
	}
	err = readRecords(ctx, s, keys, func(key string, r *liveRecord, _ Info) error {
		if r == nil { // it was compacted since the listing
			moved[key] = true
			folder, _ := folderOf(key)
			l.compacted[folder] = true
			return nil
		}
		seen[key] = true
		return visit(r)
	})
	if err != nil {
		return err
	}
	for folder := range l.compacted {
		err := readCompacted(ctx, s, folder, func(r *liveRecord, _ []byte) error {
			if seen[r.Key] {
				return nil
			}
			delete(moved, r.Key)
			return visit(r)
		})
		if err != nil {
			return err
		}
	}
	for key := range moved {
		return &driver.Error{
			Doing: "read", Object: s.Name(key), Class: driver.ErrChanged, Cause: errors.New("the record of a live job was removed"),
			Cure: "restore it from a backup: the lake cannot account for its records without it",
		}
	}
	return nil
}

// readRecords reads records side by side and visits them one by one; one that is
// gone is visited as nil.
func readRecords(ctx context.Context, s Store, keys []string, visit func(key string, r *liveRecord, info Info) error) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fetches)
	for _, key := range keys {
		g.Go(func() error {
			r, info, err := readRecord(ctx, s, key)
			if err != nil && !errors.Is(err, driver.ErrNotFound) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			return visit(key, r, info)
		})
	}
	return g.Wait()
}

// ReadLedger reads the account of every roll that live jobs have committed,
// ordered by shard and sequence number.
func ReadLedger(ctx context.Context, s Store) ([]ledger.Part, error) {
	var parts []ledger.Part
	err := walkLedger(ctx, s, func(r *liveRecord) error {
		if r.Roll != nil {
			parts = append(parts, *r.Roll)
		}
		return nil
	})
	slices.SortFunc(parts, func(a, b ledger.Part) int { return strings.Compare(a.Roll, b.Roll) })
	return parts, err
}
