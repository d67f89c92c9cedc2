"""Loads rows into Redshift as a script of DuckDB and psql does: stages those of a CSV file as Parquet on S3, each key
once.

Arguments are the file and its columns' names and types as JSON. The first line of standard input is the stage's URL;
the answer on standard output says that it is staged.
"""

import importlib.util
import json
import os
import pathlib
import sys

import duckdb

csv, columns = sys.argv[1], json.loads(sys.argv[2])
connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
folder = pathlib.Path(importlib.util.find_spec("duckdb_extension_httpfs").origin).parent
(extension,) = folder.rglob("httpfs.duckdb_extension")
connection.execute(f"load '{extension}'")
connection.execute("set TimeZone = 'UTC'")
connection.execute("set enable_progress_bar = false")
scheme, _, address = os.environ["AWS_ENDPOINT_URL_S3"].partition("://")
connection.execute(
    f"""create secret (type s3, url_style 'path', endpoint '{address}', use_ssl {scheme == "https"},
        key_id '{os.environ["AWS_ACCESS_KEY_ID"]}', secret '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
        region '{os.environ["AWS_REGION"]}')"""
)
key = next(iter(columns))
print("ready", flush=True)
stage = sys.stdin.readline().strip()
connection.execute(
    f"""copy (select * from read_csv('{csv}', header = false, columns = {columns}) qualify row_number() over (partition by {key} order by event_time) = 1)
        to '{stage}.parquet' (format parquet, compression snappy)"""
)
(size,) = connection.execute(f"select size from read_blob('{stage}.parquet')").fetchone()
manifest = json.dumps({"entries": [{"url": f"{stage}.parquet", "mandatory": True, "meta": {"content_length": size}}]})
connection.execute(f"copy (select ? as line) to '{stage}.manifest' (format csv, header false, quote '', delimiter '\x01')", [manifest])
print("staged", flush=True)
