# Sessions, a funnel and products of a shop as DuckDB SQL: the rows of the outputs sessions,
# funnel_steps and products, all of their columns, from the same JSON lines to Parquet. With few, what sums them
# up alone: without where visits come from, tokens, medians and the order of rows. argv: input, [few,] output folder.
# Events are read with the types they have; lines that are none are left out. Event time is corrected by the
# device's clock, an event that comes twice counts once, people count who agreed, and they become tokens. Where
# a visit comes from follows docs/attribution.md, with the sites, click ids and channels that a shop meets most
# in place of all 300 rules. Nothing looks for personal data in paths.
import sys, duckdb
src, *few, out = sys.argv[1:]
c = duckdb.connect()
c.execute("set enable_progress_bar=false; set preserve_insertion_order=false") # threads: all cores, as ours
names = "'page_view','view_item','search','add_to_cart','begin_checkout','purchase','refund'"
members, person, origin = ("consent:'STRUCT(analytics BOOLEAN)', page:'STRUCT(location VARCHAR)'", "coalesce(client_id, user_id)", "") if few else (
    "consent:'STRUCT(analytics BOOLEAN, ads BOOLEAN)', page:'STRUCT(location VARCHAR, referrer VARCHAR)', campaign:'STRUCT(source VARCHAR, medium VARCHAR, name VARCHAR)'",
    "'tok_visitor_' || sha256('a key of the lake/' || coalesce(client_id, user_id))", "consent.ads ads, page.referrer, campaign, ")
c.execute(f"""
create table raw as
with l as (select *, case when v = 2 or currency = 'JPY' then 1 else 100 end minor from read_json('{src}', format='newline_delimited', ignore_errors=true, columns={{
  v:'UTINYINT', event_id:'VARCHAR', name:'VARCHAR', time:'BIGINT', sent_at:'BIGINT', received_at:'BIGINT', client_id:'VARCHAR', user_id:'VARCHAR', platform:'VARCHAR',
  {members}, currency:'VARCHAR', value:'DECIMAL(18,3)', items:'STRUCT(item_id VARCHAR, price DECIMAL(18,3), quantity BIGINT)[]'}}))
select event_id, name, received_at arrival, case when sent_at >= time then received_at - (sent_at - time) else time end t,
  case when consent.analytics then {person} end visitor, platform = 'server' machine, page.location, {origin}currency, minor, items
from l where v in (1, 2) and time is not null and name in ({names})
  and not (name in ('purchase','refund') and (value is null or currency not in ('EUR','USD','JPY') or value * minor % 1 <> 0))""")
# Of the ids that come twice the first event stays. (distinct on takes four times as long, a row number over all ids twice.)
c.execute("""
create table ev as
with twice as (select event_id from raw group by event_id having count(*) > 1),
first as (select r.* from raw r semi join twice using (event_id) qualify row_number() over (partition by event_id order by t, arrival) = 1)
select * from raw anti join twice using (event_id) union all select * from first""")
c.execute("""create macro parameter(url, name) as nullif(url_decode(replace(regexp_extract(url, '[?&]' || name || '=([^&#]*)', 1), '+', ' ')), '');
create macro host(url) as regexp_extract(url, '^https?://(?:www[.])?([^/?:]*)', 1);
create macro channel(o) as case when o.s = '(direct)' then 'Direct' when o.m = 'organic' then 'Organic Search' when regexp_matches(o.m, '^e[-_ ]?mail$') then 'Email'
  when o.m = 'referral' then 'Referral' when regexp_matches(o.m, '^(.*cp.*|ppc|retargeting|paid.*)$') then 'Paid Search' when o.s is not null then 'Unassigned' end""")
sessions = """
with e as (select visitor v, t, name = 'page_view' p, regexp_extract(location, '^https://[^/?]*([^?]*)', 1) path from ev where visitor is not null and not machine),
g as (select *, case when t - lag(t) over (partition by v order by t) >= 1800000 then 1 else 0 end n from e),
s as (select *, sum(n) over (partition by v order by t rows unbounded preceding) k from g)
select v, k, min(t) start_time, max(t) end_time, count(*) as events, count(*) filter (p) pages, arg_min(path, t) filter (p) entry, arg_max(path, t) filter (p) leave from s group by v, k
""" if few else """
with e as (select visitor v, t, name = 'page_view' p, name = 'purchase' bought, regexp_extract(location, '^https://[^/?]*([^?#]*)', 1) path, ads,
    coalesce(campaign.source, parameter(location, 'utm_source')) us, coalesce(campaign.medium, parameter(location, 'utm_medium')) um,
    coalesce(campaign.name, parameter(location, 'utm_campaign')) uc, regexp_extract(location, '[?&](gclid|msclkid|fbclid|ttclid|dclid|twclid)=[^&#]', 1) click,
    host(referrer) from_host, host(location) own from ev where visitor is not null and not machine),
  o as (select v, t, p, bought, path, case
      when us is not null or um is not null or uc is not null then case when ads then {'s': coalesce(lower(us), '(not set)'), 'm': coalesce(lower(um), '(not set)'), 'c': uc} end
      when click <> '' then case when ads then {'s': click, 'm': 'cpc', 'c': null} end
      when from_host <> '' then case when from_host <> own then case when regexp_matches(from_host, '^(google|bing|duckduckgo|yahoo|ecosia|baidu|yandex)[.]')
        then {'s': split_part(from_host, '.', 1), 'm': 'organic', 'c': null} else {'s': from_host, 'm': 'referral', 'c': null} end end
      when p then {'s': '(direct)', 'm': '(none)', 'c': null} end o from e),
  g as (select *, o is not null and o.s <> '(direct)' said, case when t - lag(t) over (partition by v order by t) >= 1800000 then 1 else 0 end n from o),
  s as (select *, sum(n) over (partition by v order by t rows unbounded preceding) k from g),
  a as (select v, min(t) b, max(t) e, count(*) n, count(*) filter (p) pages, arg_min(path, t) filter (p) entry, arg_max(path, t) filter (p) leave, bool_or(bought) bought,
    arg_min(o, t) filter (o is not null) early, arg_min(o, t) filter (said) this, arg_max(o, t) filter (said) latest from s group by v, k),
  f as (select * replace (coalesce(this, early) as this, coalesce(latest, early) as latest) from a)
select left(sha256(v || b::varchar), 32) session_id, v visitor_id, b start_time, e end_time, n as events, pages, entry, leave, pages <= 1 bounce, n as version, e - b duration_ms,
  e - b >= 10000 or pages >= 2 or bought engaged, false bot, false truncated, this.s as source, this.m as medium, this.c as campaign, channel(this) channel,
  early.s as first_source, early.m as first_medium, early.c as first_campaign, channel(early) first_channel,
  latest.s as last_source, latest.m as last_medium, latest.c as last_campaign, channel(latest) last_channel from f order by b, v
"""
c.execute(f"copy ({sessions}) to '{out}/sessions.parquet' (format parquet)")
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
    times = [f"sum(b.t{k} - b.t{k-1}) s{k}" + ("" if few else f", median(b.t{k} - b.t{k-1}) m{k}") for k in n if k > 1]
    return text + "select d, " + ", ".join([f"count(b.t{k}) v{k}" for k in n] + times) + " from best group by d"
c.execute(f"copy ({funnel()}) to '{out}/funnel.parquet' (format parquet)")
c.execute(f"""copy (
with i as (select t // 3600000 h, name, currency, minor, case name when 'purchase' then 1 when 'refund' then -1 end b, unnest(items) it
  from ev where len(items) > 0 and name in ('view_item','add_to_cart','purchase','refund')),
p as (select h, it.item_id item, case when it.price is not null then currency end cur, count(*) filter (name = 'view_item') looks, coalesce(sum(it.quantity) filter (name = 'add_to_cart'), 0)::bigint carts,
  coalesce(sum(it.quantity * b), 0)::bigint purchases, coalesce(sum((it.price * minor)::bigint * it.quantity * b), 0)::bigint revenue from i group by all)
select *, row_number() over (partition by h, cur order by revenue desc, purchases desc, carts desc, looks desc, item) r from p {"" if few else "order by h, item, cur"}) to '{out}/products.parquet' (format parquet)""")
