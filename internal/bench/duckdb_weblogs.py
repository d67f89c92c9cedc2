# The backfill job as DuckDB SQL: parse, pseudonymise the client, rollups per minute, 5xx, top pages,
# 30-minute sessions, parsed log to partitioned Parquet. argv: input log, output folder.
import sys, time, duckdb
src, out = sys.argv[1], sys.argv[2]
t=time.time()
c=duckdb.connect(); c.execute("set threads=2"); c.execute("set preserve_insertion_order=false")
c.execute(f"""
create table ev as
with raw as (select column0 as line from read_csv('{src}', header=false, delim='\x01', quote='', escape='', columns={{'column0':'VARCHAR'}}, strict_mode=false)),
p as (select line, regexp_extract(line, '^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] "(\\S+) (\\S+) ([^"]+)" (\\d{{3}}) (\\d+|-) "([^"]*)" "([^"]*)"$', ['ip','ident','u','ts','m','uri','proto','status','bytes','ref','ua']) r from raw)
select strptime(r.ts,'%d/%b/%Y:%H:%M:%S %z')::timestamptz::timestamp as ts, md5('key'||r.ip||r.ua) as visitor, regexp_replace(r.ip,'\\.\\d+$','.0') as ip,
 r.m as method, regexp_replace(r.uri,'[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+','***','g') as uri, r.status::int as status, try_cast(r.bytes as bigint) as bytes, r.ref as ref, r.ua as ua
from p where r.status <> ''
""")
t1=time.time()
c.execute(f"copy (select *, year(ts) as year, month(ts) as month, day(ts) as day from ev) to '{out}/events' (format parquet, partition_by (year,month,day), overwrite_or_ignore)")
c.execute(f"copy (select date_trunc('minute',ts) m, count(*) as views, count(*) filter (status>=500) e5, approx_count_distinct(visitor) u from ev group by 1) to '{out}/minute.parquet' (format parquet)")
c.execute(f"copy (select * from (select date_trunc('hour',ts) h, split_part(uri,'?',1) page, count(*) n from ev group by 1,2) qualify row_number() over (partition by h order by n desc)<=10) to '{out}/top.parquet' (format parquet)")
c.execute(f"""copy (
with g as (select *, case when ts - lag(ts) over (partition by visitor order by ts) > interval 30 minute then 1 else 0 end as new_s from ev),
s as (select *, sum(new_s) over (partition by visitor order by ts rows unbounded preceding) as sid from g)
select visitor, sid, min(ts) started, max(ts) ended, count(*) hits, arg_min(uri,ts) entry, arg_max(uri,ts) exit from s group by 1,2) to '{out}/sessions.parquet' (format parquet)""")
n=c.execute("select count(*) from ev").fetchone()[0]
s=c.execute(f"select count(*) from '{out}/sessions.parquet'").fetchone()[0]
print(f"duckdb rows={n} sessions={s} parse={t1-t:.2f}s total={time.time()-t:.2f}s")
