# Sessions, a funnel and products of a shop as DuckDB SQL: what sums them up, without where visits come
# from, tokens, medians and the order of rows. argv: input, output folder.
# Events are read with the types they have; lines that are none are left out. Event time is
# corrected by the device's clock, an event that comes twice counts once, people count who agreed.
import sys, duckdb
src, out = sys.argv[1:]
c = duckdb.connect()
c.execute("set enable_progress_bar=false; set preserve_insertion_order=false") # threads: all cores, as ours
names = "'page_view','view_item','search','add_to_cart','begin_checkout','purchase','refund'"
c.execute(f"""
create table raw as
with l as (select *, case when v = 2 or currency = 'JPY' then 1 else 100 end minor from read_json('{src}', format='newline_delimited', ignore_errors=true, columns={{
  v:'UTINYINT', event_id:'VARCHAR', name:'VARCHAR', time:'BIGINT', sent_at:'BIGINT', received_at:'BIGINT', client_id:'VARCHAR', user_id:'VARCHAR', platform:'VARCHAR',
  consent:'STRUCT(analytics BOOLEAN)', page:'STRUCT(location VARCHAR)', currency:'VARCHAR', value:'DECIMAL(18,3)',
  items:'STRUCT(item_id VARCHAR, price DECIMAL(18,3), quantity BIGINT)[]'}}))
select event_id, name, received_at arrival, case when sent_at >= time then received_at - (sent_at - time) else time end t,
  case when consent.analytics then coalesce(client_id, user_id) end visitor, platform = 'server' machine, page.location, currency, minor, items
from l where v in (1, 2) and time is not null and name in ({names})
  and not (name in ('purchase','refund') and (value is null or currency not in ('EUR','USD','JPY') or value * minor % 1 <> 0))""")
# Of the ids that come twice the first event stays. (distinct on takes four times as long, a row number over all ids twice.)
c.execute("""
create table ev as
with twice as (select event_id from raw group by event_id having count(*) > 1),
first as (select r.* from raw r semi join twice using (event_id) qualify row_number() over (partition by event_id order by t, arrival) = 1)
select * from raw anti join twice using (event_id) union all select * from first""")
c.execute(f"""copy (
with e as (select visitor v, t, event_id, name = 'page_view' p, regexp_extract(location, '^https://[^/?]*([^?]*)', 1) path from ev where visitor is not null and not machine),
g as (select *, case when t - lag(t) over (partition by v order by t) >= 1800000 then 1 else 0 end n from e),
s as (select *, sum(n) over (partition by v order by t rows unbounded preceding) k from g)
select v, k, min(t) start_time, max(t) end_time, count(*) as events, count(*) filter (p) pages, arg_min(path, t) filter (p) entry, arg_max(path, t) filter (p) leave from s group by v, k) to '{out}/sessions.parquet' (format parquet)""")
def funnel():
    # As in duckdb_lake.py: each start joined as-of with the next event of the next step; of a visitor's day the
    # deepest attempt counts, of equally deep ones the earliest.
    steps, window = ["view_item", "add_to_cart", "begin_checkout", "purchase"], 86_400_000
    step = " ".join(f"when '{s}' then {i}" for i, s in enumerate(steps, 1))
    text = f"with e as materialized (select visitor v, t, case name {step} end s from ev where visitor is not null and s is not null),\n"
    text += "a1 as materialized (select v, t as t1 from e where s = 1),\n"
    for k in range(2, len(steps) + 1):
        text += f"a{k} as materialized (select a.*, e.t as t{k} from a{k-1} a asof join (select v, t from e where s = {k}) e on a.v = e.v and a.t{k-1} <= e.t where e.t <= a.t1 + {window}),\n"
    n = range(1, len(steps) + 1)
    nulls = ", ".join(f"null::bigint t{k}" for k in n if k > 1)
    text += f"l as (select v, t1, {nulls}, 1 lv from a1" + "".join(f" union all by name select *, {k} lv from a{k}" for k in n if k > 1) + "),\n"
    text += "best as (select t1 // 86400000 d, arg_max(l, lv * 10000000000000::bigint - t1) b from l group by v, d)\n"
    return text + "select d, " + ", ".join(f"count(b.t{k}) v{k}" for k in n) + "".join(f", sum(b.t{k} - b.t{k-1}) s{k}" for k in n if k > 1) + " from best group by d"
c.execute(f"copy ({funnel()}) to '{out}/funnel.parquet' (format parquet)")
c.execute(f"""copy (
with i as (select t // 3600000 h, name, currency, minor, case name when 'purchase' then 1 when 'refund' then -1 end b, unnest(items) it
  from ev where len(items) > 0 and name in ('view_item','add_to_cart','purchase','refund')),
p as (select h, it.item_id item, case when it.price is not null then currency end cur, count(*) filter (name = 'view_item') looks, coalesce(sum(it.quantity) filter (name = 'add_to_cart'), 0)::bigint carts,
  coalesce(sum(it.quantity * b), 0)::bigint purchases, coalesce(sum((it.price * minor)::bigint * it.quantity * b), 0)::bigint revenue from i group by all)
select *, row_number() over (partition by h, cur order by revenue desc, purchases desc, carts desc, looks desc, item) r from p) to '{out}/products.parquet' (format parquet)""")
