# What a lake of ours, or a peer's folder, says of the minutes of devices: sums that must be
# equal. argv: lake or peer, folder. A peer may have made fewer columns.
import sys, duckdb
who, folder = sys.argv[1:]
c = duckdb.connect()
files = f"'{folder}/rollups/*/*/*/*.parquet'" if who == "lake" else f"'{folder}/rollups.parquet'"
have = {row[0] for row in c.execute(f"describe select * from read_parquet({files})").fetchall()}
n, low, high, latest = ("count", "min", "max", "last") if who == "lake" else ("n", "low", "high", "latest")
def line(what, *sums):
    print(",".join([what] + [str(x) for x in c.execute(f"select {', '.join(sums)} from read_parquet({files})").fetchone()]))
line("minutes", "count(*)", f"sum({n})::bigint", f"count({low})", *(f"round(sum({x}), 3)" for x in (low, high, latest, "p50")))
if "flagged" in have:
    line("their rest", "sum(flagged)::bigint", "round(sum(mean), 2)", "count(distinct device_id)", "count(distinct subject)", "count(distinct unit)", "count(distinct display)")
