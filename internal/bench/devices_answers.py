# What a lake of ours, or the peer's folder, says of the minutes of devices: sums that must be
# equal. argv: lake or peer, folder.
import sys, duckdb
who, folder = sys.argv[1:]
c = duckdb.connect()
table = f"(select count n, min low, max high, last latest from read_parquet('{folder}/rollups/*/*/*/*.parquet'))" if who == "lake" else f"read_parquet('{folder}/rollups.parquet')"
print(",".join(str(x) for x in c.execute(f"select count(*), sum(n)::bigint, count(low), round(sum(low), 3), round(sum(high), 3), round(sum(latest), 3) from {table}").fetchone()))
