# What a lake of ours, or the peer's folder, says of sessions, the funnel and products: sums
# and hashes that must be equal. argv: lake or peer, folder.
import sys, duckdb
who, folder = sys.argv[1:]
c = duckdb.connect()
def line(what, sql):
    for row in c.execute(sql).fetchall():
        print(",".join([what] + [str(x) for x in row]))
if who == "lake":
    at = lambda name: f"read_parquet('{folder}/{name}/*/*/*/*.parquet')"
    sessions = f"(select epoch_ms(start_time) b, epoch_ms(end_time) e, events n, page_views p, entry_page entry, exit_page leave from {at('sessions')})"
    funnel = f"(select step, visitors, coalesce(total_ms, 0) ms from {at('funnel_steps')})"
    products = f"(select epoch_ms(window_start) // 3600000 h, item_id, nullif(currency, '') currency, \"views\" looks, carts, purchases, revenue, rank from {at('products')})"
else:
    sessions = f"(select start_time b, end_time e, events n, pages p, entry, leave from '{folder}/sessions.parquet')"
    funnel = f"(select 1 step, v1 visitors, 0 ms from '{folder}/funnel.parquet'" + "".join(f" union all select {k}, v{k}, s{k} from '{folder}/funnel.parquet'" for k in (2, 3, 4)) + ")"
    products = f"(select h, item item_id, cur currency, looks, carts, purchases, revenue, r rank from '{folder}/products.parquet')"
same = lambda *columns: "bit_xor(hash(" + ", ".join(f"coalesce({x}::varchar, '-')" for x in columns) + "))"
line("sessions", f"select count(*), sum(n), sum(p), sum(e - b), {same('b', 'e', 'n', 'p', 'entry', 'leave')} from {sessions}")
line("funnel", f"select step, sum(visitors), sum(ms)::bigint from {funnel} group by step order by step")
line("products", f"select count(*), sum(looks), sum(carts), sum(purchases), sum(revenue), {same('h', 'item_id', 'currency', 'looks', 'carts', 'purchases', 'revenue', 'rank')} from {products}")
