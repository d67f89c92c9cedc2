# What a lake of ours, or a peer's folder, says of sessions, the funnel and products: sums
# and hashes that must be equal. argv: lake or peer, folder. A peer may have made fewer columns.
import sys, duckdb
who, folder = sys.argv[1:]
c = duckdb.connect()
def line(what, sql):
    for row in c.execute(sql).fetchall():
        print(",".join([what] + [str(x) for x in row]))
def has(table, column):
    return column in {row[0] for row in c.execute(f"describe select * from {table}").fetchall()}
if who == "lake":
    at = lambda name: f"read_parquet('{folder}/{name}/*/*/*/*.parquet')"
    sessions = f"(select * replace (epoch_ms(start_time) as start_time, epoch_ms(end_time) as end_time), page_views pages, entry_page entry, exit_page leave from {at('sessions')})"
    funnel = f"(select step, visitors, coalesce(total_ms, 0) ms, median_ms from {at('funnel_steps')})"
    products = f"(select epoch_ms(window_start) // 3600000 h, item_id, nullif(currency, '') currency, \"views\" looks, carts, purchases, revenue, rank from {at('products')})"
else:
    at = f"'{folder}/funnel.parquet'"
    median = (lambda k: f"m{k}" if k > 1 else "null") if has(at, "m2") else None
    sessions = f"'{folder}/sessions.parquet'"
    funnel = "(" + " union all ".join(f"select {k} step, v{k} visitors, {f's{k}' if k > 1 else 0} ms" + (f", {median(k)} median_ms" if median else "") + f" from {at}" for k in (1, 2, 3, 4)) + ")"
    products = f"(select h, item item_id, cur currency, looks, carts, purchases, revenue, r rank from '{folder}/products.parquet')"
same = lambda *columns: "bit_xor(hash(" + ", ".join(f"coalesce({x}::varchar, '-')" for x in columns) + "))"
place = ("start_time", "end_time", "events", "pages", "entry", "leave")
line("sessions", f"select count(*), sum(events), sum(pages), sum(end_time - start_time), {same(*place)} from {sessions}")
if has(sessions, "engaged"):
    origin = [f"{of}{what}" for of in ("", "first_", "last_") for what in ("source", "medium", "campaign", "channel")]
    line("their rest", f"select sum(engaged::int), sum(bounce::int), count(distinct visitor_id), count(distinct session_id), {same('start_time', 'engaged', 'bounce', *origin)} from {sessions}")
line("funnel", f"select step, sum(visitors), sum(ms)::bigint from {funnel} group by step order by step")
if has(funnel, "median_ms"):
    line("medians", f"select step, round(max(median_ms), 1) from {funnel} where step > 1 group by step order by step")
line("products", f"select count(*), sum(looks), sum(carts), sum(purchases), sum(revenue), {same('h', 'item_id', 'currency', 'looks', 'carts', 'purchases', 'revenue', 'rank')} from {products}")
