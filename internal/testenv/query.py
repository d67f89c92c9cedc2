"""Runs the SQL on standard input in DuckDB and prints the last statement's result as JSON.

{"columns": [...], "rows": [[...], ...]}: numbers and booleans as they are, everything else as text;
instants in RFC 3339 with milliseconds and Z, timestamps without a zone the same without Z.
"""

import datetime
import importlib.util
import json
import os
import pathlib
import sys

import duckdb


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.isoformat(timespec="milliseconds")
        utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return utc.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def use_s3(connection, endpoint):
    """Lets s3:// names reach the test's server, with the extension that a package ships."""
    folder = pathlib.Path(importlib.util.find_spec("duckdb_extension_httpfs").origin).parent
    (extension,) = folder.rglob("httpfs.duckdb_extension")
    connection.execute(f"load '{extension}'")
    scheme, _, address = endpoint.partition("://")
    connection.execute(
        f"""create secret (type s3, url_style 'path', endpoint '{address}', use_ssl {scheme == "https"},
            key_id '{os.environ["AWS_ACCESS_KEY_ID"]}', secret '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
            region '{os.environ["AWS_REGION"]}')"""
    )


def main():
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "2"}
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would go between the rows
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        use_s3(connection, endpoint)
    result = connection.execute(sys.stdin.read())
    columns = [column[0] for column in result.description]
    rows = [[plain(value) for value in row] for row in result.fetchall()]
    json.dump({"columns": columns, "rows": rows}, sys.stdout)


main()
