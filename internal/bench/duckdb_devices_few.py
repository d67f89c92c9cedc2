# The minutes of devices' series as DuckDB SQL: their values alone. No reading is judged, devices and
# patients keep their ids, and rows are in no order. argv: input, table of codes (CSV), output folder.
# Codes become those of the table, and the two units that are another than the table's are converted.
import sys, duckdb
src, codes, out = sys.argv[1:]
c = duckdb.connect()
c.execute("set enable_progress_bar=false; set preserve_insertion_order=false") # threads: all cores, as ours
c.execute(f"create table codes as select * from read_csv('{codes}', all_varchar=true)")
# A reading that has the time and value of the one before it in its series is a duplicate; of counters
# values are rates, and one that falls has none.
c.execute(f"""copy (
with r as (select epoch_ms(event_time) t, device_id, coalesce(patient_id, asset_id, device_id) subject, c.code, c.kind = 'counter' counter,
  case l.unit when 'W.h' then value * 3600 when '[degF]' then (value - 32) / 1.8 else value end as value
  from read_json('{src}', format='newline_delimited', ignore_errors=true, columns={{event_time:'TIMESTAMP', device_id:'VARCHAR', patient_id:'VARCHAR', asset_id:'VARCHAR', code:'VARCHAR', unit:'VARCHAR', value:'DOUBLE'}}) l
  join codes c on c.raw_code = l.code where value is not null and (l.unit is null or l.unit in (c.unit, c.raw_unit, 'W.h', '[degF]'))),
d as (select distinct * from r),
v as (select *, case when not counter then value when value >= lag(value) over s and t > lag(t) over s then (value - lag(value) over s) / ((t - lag(t) over s) / 1000.0) end used
  from d window s as (partition by device_id, subject, code order by t))
select t // 60000 m, device_id, subject, code, count(*) n, min(used) low, max(used) high, avg(used) mean, arg_max(used, t) filter (used is not null) latest,
  quantile_disc(used, 0.5) p50, quantile_disc(used, 0.95) p95 from v group by all) to '{out}/rollups.parquet' (format parquet)""")
