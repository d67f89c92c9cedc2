# The minutes of devices' series as DuckDB SQL: the rows of the output rollups, all of their columns, from
# the same JSON lines to Parquet. argv: input, table of codes (CSV), output folder.
# Codes become those of the table, the two units that are another than the table's are converted, devices and
# patients become tokens, and readings out of range, stuck or a spike are counted as flagged: package clean in
# transforms says by what. Where few values came before, the median is DuckDB's, between two; p95 is by DuckDB's rank.
import sys, duckdb
src, codes, out = sys.argv[1:]
token = lambda kind, x: f"'tok_{kind}_' || sha256('a key of the lake/' || {x})"
c = duckdb.connect()
c.execute("set enable_progress_bar=false; set preserve_insertion_order=false") # threads: all cores, as ours
c.execute(f"create table codes as select * from read_csv('{codes}', all_varchar=true)")
# A reading that has the time and value of one before it in its series is a duplicate; of counters
# values are rates, and one that falls has none.
c.execute(f"""create table readings as
with r as (select epoch_ms(event_time) t, device_id, coalesce(patient_id, asset_id, device_id) subject, patient_id is not null patient, c.code, display,
  c.kind = 'counter' counter, low::double low, high::double high, c.unit || case when counter then '/s' else '' end unit,
  case l.unit when 'W.h' then value * 3600 when '[degF]' then (value - 32) / 1.8 else value end as value
  from read_json('{src}', format='newline_delimited', ignore_errors=true, columns={{event_time:'TIMESTAMP', device_id:'VARCHAR', patient_id:'VARCHAR', asset_id:'VARCHAR', code:'VARCHAR', unit:'VARCHAR', value:'DOUBLE'}}) l
  join codes c on c.raw_code = l.code where value is not null and (l.unit is null or l.unit in (c.unit, c.raw_unit, 'W.h', '[degF]')))
select distinct * from r""")
c.execute(f"""copy (
with v as (select *, case when not counter then value when value >= lag(value) over s and t > lag(t) over s then (value - lag(value) over s) / ((t - lag(t) over s) / 1000.0) end used,
    value is distinct from lag(value) over s fresh from readings window s as (partition by device_id, subject, code order by t)),
  k as (select *, sum(fresh::int) over (partition by device_id, subject, code order by t rows unbounded preceding) run,
    median(used) over p middle, 6 * greatest(1.4826 * mad(used) over p, 0.02 * abs(median(used) over p)) most, count(used) over p seen
    from v window p as (partition by device_id, subject, code order by t rows between 11 preceding and 1 preceding)),
  j as (select *, coalesce(value < low, false) or coalesce(value > high, false) or coalesce(seen >= 5 and most > 0 and abs(used - middle) > most, false)
    or (not counter and row_number() over q >= 20 and t - first_value(t) over q >= 600000) odd from k window q as (partition by device_id, subject, code, run order by t)),
  m as (select t // 60000 m, device_id, subject, patient, code, any_value(display) display, any_value(unit) unit, count(*) n, count(*) filter (odd) flagged,
    min(used) low, max(used) high, avg(used) mean, arg_max(used, t) filter (used is not null) latest, quantile_disc(used, 0.5) p50, quantile_disc(used, 0.95) p95 from j group by all)
select make_timestamp(m * 60000000) window_start, {token('device', 'device_id')} device_id, {token('patient', 'subject')} subject, code, display, unit, 60 window_seconds,
  n, flagged, low, high, mean, latest, p50, p95, n as version from m order by window_start, device_id, subject, code) to '{out}/rollups.parquet' (format parquet)""")
