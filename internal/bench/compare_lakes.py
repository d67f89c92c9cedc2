# Compares two lakes row by row, an output and a day at a time. argv: lake, other lake.
import glob, os, sys, duckdb

a, b = sys.argv[1], sys.argv[2]
c = duckdb.connect()
c.execute("set enable_progress_bar=false")
c.execute("set memory_limit='4GB'")
print("| output | rows all at once | rows day by day | verdict |\n|---|---:|---:|---|")
for output in ["events", "sessions", "traffic", "top_pages", "visitors", "bots", "bad_rows"]:
    folders = {os.path.relpath(os.path.dirname(f), lake) for lake in (a, b) for f in glob.glob(f"{lake}/{output}/*/*/*/*.parquet")}
    rows, missing, extra = [0, 0], 0, 0
    for folder in sorted(folders):
        parts = [glob.glob(f"{lake}/{folder}/*.parquet") for lake in (a, b)]
        for i, files in enumerate(parts):
            if files:
                rows[i] += c.execute("select count(*) from read_parquet(?)", [files]).fetchone()[0]
        if not all(parts):
            missing += 1
            continue
        differ = "select count(*) from (select * from read_parquet(?) except all select * from read_parquet(?))"
        missing += c.execute(differ, [parts[0], parts[1]]).fetchone()[0]
        extra += c.execute(differ, [parts[1], parts[0]]).fetchone()[0]
    verdict = "equal" if missing == extra == 0 and rows[0] == rows[1] else f"NOT EQUAL: {missing} rows only in one pass, {extra} only day by day"
    print(f"| {output} | {rows[0]} | {rows[1]} | {verdict} |")
