"""Prints all rows of a Delta table as JSON lines, in the form of `kafka-delta table cat`, read by delta-rs or DuckDB."""

import base64
import datetime
import decimal
import json
import os
import sys


def plain(value):
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


def by_delta_rs(uri):
    import deltalake

    options = {name.lower(): value for name, value in os.environ.items() if name.startswith("AWS_")}
    table = deltalake.DeltaTable(uri, storage_options=options)
    return table.to_pyarrow_table().to_pylist()


def by_duckdb(uri):
    import duckdb
    import duckdb_extension_delta

    folder = os.path.join(os.path.dirname(duckdb_extension_delta.__file__), "extensions")
    extension = os.path.join(folder, "v" + duckdb.__version__, "delta.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    return connection.execute(f"SELECT * FROM delta_scan('{uri}')").to_arrow_table().to_pylist()


readers = {"delta-rs": by_delta_rs, "duckdb": by_duckdb}
for row in readers[sys.argv[1]](sys.argv[2]):
    print(json.dumps(plain(row)))

# Threads of native readers that are still there at an ordinary end abort the process now and then.
sys.stdout.flush()
os._exit(0)
