"""Reads what a COPY names, for the stand-in of Redshift.

Requests are lines of JSON on standard input: {"manifest": "s3://...", "endpoint": "http://...", "out": "file"}.
The rows of the manifest's Parquet files go to the file as CSV; the answer is a line of JSON: {"rows": 3} or
{"error": "..."}.
"""

import importlib.util
import json
import os
import pathlib
import sys

import duckdb


def connect(endpoint):
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "1"}
    )
    folder = pathlib.Path(importlib.util.find_spec("duckdb_extension_httpfs").origin).parent
    (extension,) = folder.rglob("httpfs.duckdb_extension")
    connection.execute(f"load '{extension}'")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would go between the answers
    connection.execute("set http_retries = 0")
    scheme, _, address = endpoint.partition("://")
    connection.execute(
        f"""create secret (type s3, url_style 'path', endpoint '{address}', use_ssl {scheme == "https"},
            key_id '{os.environ["AWS_ACCESS_KEY_ID"]}', secret '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
            region '{os.environ["AWS_REGION"]}')"""
    )
    return connection


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def entries(connection, manifest):
    """Files of a manifest, whose entries for columnar formats tell their length."""
    (text,) = connection.execute(f"select content from read_blob({quoted(manifest)})").fetchone()
    listed = json.loads(text)["entries"]
    if not listed:
        raise ValueError("the manifest is empty")
    for entry in listed:
        told = entry["meta"]["content_length"]
        (size,) = connection.execute(f"select size from read_blob({quoted(entry['url'])})").fetchone()
        if size != told:
            raise ValueError(f"{entry['url']} has {size} bytes, the manifest says {told}")
    return [entry["url"] for entry in listed]


def column(name, kind):
    name = '"' + name.replace('"', '""') + '"'
    return f"'\\x' || hex({name}) as {name}" if kind == "BLOB" else name


connections = {}


def copy(request):
    endpoint = request["endpoint"]
    if endpoint not in connections:
        connections[endpoint] = connect(endpoint)
    connection = connections[endpoint]
    files = "read_parquet([" + ", ".join(quoted(f) for f in entries(connection, request["manifest"])) + "])"
    described = connection.execute(f"describe select * from {files}").fetchall()
    columns = ", ".join(column(name, kind) for name, kind, *_ in described)
    (rows,) = connection.execute(
        f"copy (select {columns} from {files}) to {quoted(request['out'])} (format csv, header false, force_quote *, nullstr '')"
    ).fetchone()
    return {"rows": rows}


answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever else is printed is no answer
for line in sys.stdin:
    try:
        answer = copy(json.loads(line))
    except Exception as error:  # whatever it is, the client of Redshift is told
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
