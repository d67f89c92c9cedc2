# Compares the lake of a live run with the one of a batch run over its raw archive,
# row by row in both directions. argv: live lake, batch lake. Ends with 1 when they
# differ, or when an output that cannot be empty is.
import glob, sys, duckdb

stream, batch = sys.argv[1], sys.argv[2]
SHOWN = 3  # rows of a difference
total, faults = 0, 0
print(f"{'output':<10} {'stream':>9} {'batch':>9}")
for output, may_be_empty in [
    ("events", False), ("sessions", False), ("traffic", False), ("top_pages", False), ("visitors", False),
    ("bots", False), ("bad_rows", False), ("late", True),
]:
    globs = [f"{lake}/{output}/**/*.parquet" for lake in (stream, batch)]
    there = [bool(glob.glob(g, recursive=True)) for g in globs]
    rows = [f"select * from read_parquet('{g}', hive_partitioning = false)" if t else None for g, t in zip(globs, there)]
    counts = [duckdb.sql(f"select count(*) from ({r})").fetchone()[0] if r else 0 for r in rows]
    verdict = ""
    if all(there):
        only = [duckdb.sql(f"select count(*) from ({a} except all {b})").fetchone()[0] for a, b in (rows, rows[::-1])]
        if any(only):
            verdict = f"  DIFFERENT: {only[0]} rows only in the stream's, {only[1]} only in the batch's"
    elif any(counts):
        verdict = "  DIFFERENT: one has none"
    if not any(counts) and not may_be_empty:
        verdict = "  DIFFERENT from what the farm writes: there must be some"
    print(f"{output:<10} {counts[0]:>9,} {counts[1]:>9,}{verdict}")
    if verdict:
        faults += 1
        for name, (a, b) in (("stream", rows), ("batch", rows[::-1])):
            if a and b:
                for row in duckdb.sql(f"({a} except all {b}) limit {SHOWN}").fetchall():
                    print(f"    only in the {name}'s: {row}")
    total += counts[0]
if faults:
    sys.exit(1)
print(f"\nstream = batch: {total:,} rows equal")
