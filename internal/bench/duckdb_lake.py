# Funnel and sessions of the events of a lake as DuckDB SQL. argv: what, key, lake.
# what is funnel or sessions; key is id (visitors by their id) or hash (by 64 bits of it, which
# is faster and can take two visitors for one). Prints the answer as CSV, to be compared.
import sys, duckdb
what, key, lake = sys.argv[1:]
c = duckdb.connect()
c.execute("set enable_progress_bar=false") # threads: all cores, as ours
v = {"id": "visitor_id", "hash": "hash(visitor_id)"}[key]
events = f"read_parquet('{lake}/events/*/*/*/*.parquet')"
steps = ["path = '/'", "starts_with(path, '/product/')", "path = '/search'", "path = '/cart'", "path = '/checkout' and status < 400"]
window = 30 * 60 * 1000

def funnel():
    # Each start is joined with the next event of the second step, as-of, that with the next of the
    # third, and so on. Of a visitor's day the deepest attempt counts, of equally deep ones the earliest.
    # (Window functions would sort the events anew for each step: three times as long.)
    step = " ".join(f"when {s} then {i}" for i, s in enumerate(steps, 1))
    text = f"with ev as materialized (select {v} v, epoch_ms(event_time) t, case {step} end s from {events} where not late and s is not null),\n"
    text += "a1 as materialized (select v, t as t1 from ev where s = 1),\n"
    for k in range(2, len(steps) + 1):
        text += f"a{k} as materialized (select a.*, e.t as t{k} from a{k-1} a asof join (select v, t from ev where s = {k}) e on a.v = e.v and a.t{k-1} <= e.t where e.t <= a.t1 + {window}),\n"
    n = range(1, len(steps) + 1)
    nulls = ", ".join(f"null::bigint t{k}" for k in n if k > 1)
    text += f"l as (select v, t1, {nulls}, 1 lv from a1" + "".join(f" union all by name select *, {k} lv from a{k}" for k in n if k > 1) + "),\n"
    text += "best as (select t1 // 86400000 d, arg_max(l, lv * 10000000000000::bigint - t1) b from l group by v, d)\n"
    return text + "select d, " + ", ".join(f"count(b.t{k})" for k in n) + "".join(f", sum(b.t{k} - b.t{k-1}), median(b.t{k} - b.t{k-1})" for k in n if k > 1) + " from best group by d order by d"

if what == "funnel":
    for d, *row in c.execute(funnel()).fetchall():
        day = c.execute("select date '1970-01-01' + ?::int", [d]).fetchone()[0]
        visitors, times = row[:len(steps)], row[len(steps):]
        for k, reached in enumerate(visitors):
            total, median = (times[2 * k - 2], times[2 * k - 1]) if k else (None, None)
            print(f"{day},{k + 1},{reached},{'' if k == 0 else total or 0},{'' if median is None else format(median, '.15g')}")
else:
    # Position alone orders events of one time: the lake has them from one file.
    print(",".join(map(str, c.execute(f"""
with e as (select {v} v, epoch_ms(event_time) t, page_view p, path, position from {events} where not late),
g as (select *, case when t - lag(t) over (partition by v order by t, position) >= 1800000 then 1 else 0 end n from e),
s as (select *, sum(n) over (partition by v order by t, position rows unbounded preceding) k from g),
a as (select v, k, min(t) b, max(t) e, count(*) n, count(*) filter (p) pages, arg_min(path, (t, position)) filter (p) entry, arg_max(path, (t, position)) filter (p) leave from s group by v, k)
select count(*), sum(n), sum(pages), sum(e - b), count(*) filter (pages <= 1), sum(strlen(entry)), sum(strlen(leave)) from a""").fetchone())))
