"""Reads Delta tables by delta-rs or DuckDB: a line in is {"reader", "uri"}, a line out {"rows": [...]} or {"error": "..."}.

Each row is a JSON text in the form of `kafka-delta table cat`.
"""

import base64
import datetime
import json
import math
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta
import pyarrow as pa

NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def text(value, kind):
    if value is None:
        return "null"
    if pa.types.is_struct(kind):
        fields = (json.dumps(field.name) + ":" + text(value[field.name], field.type) for field in kind)
        return "{" + ",".join(fields) + "}"
    if pa.types.is_map(kind):
        pairs = [(text(key, kind.key_type), text(item, kind.item_type)) for key, item in value]
        if all(key.startswith('"') for key, _ in pairs):
            return "{" + ",".join(key + ":" + item for key, item in pairs) + "}"
        return "[" + ",".join("[" + key + "," + item + "]" for key, item in pairs) + "]"
    if isinstance(value, list):
        return "[" + ",".join(text(item, kind.value_type) for item in value) + "]"
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            return json.dumps(value.isoformat(timespec="microseconds"))
        utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return json.dumps(utc.isoformat(timespec="microseconds") + "Z")
    if pa.types.is_date(kind):
        return json.dumps(value.isoformat())
    if pa.types.is_decimal(kind):
        return format(value, "f")
    if pa.types.is_floating(kind):
        return json.dumps(value) if math.isfinite(value) else json.dumps(NAMES[str(value)])
    if isinstance(value, bytes):
        return json.dumps(base64.b64encode(value).decode())
    return json.dumps(value)


def by_delta_rs(uri):
    options = {name.lower(): value for name, value in os.environ.items() if name.startswith("AWS_")}
    table = deltalake.DeltaTable(uri, storage_options=options)
    return pa.table(deltalake.QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all())


def by_duckdb(uri):
    folder = os.path.join(os.path.dirname(duckdb_extension_delta.__file__), "extensions")
    extension = os.path.join(folder, "v" + duckdb.__version__, "delta.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    return connection.execute(f"SELECT * FROM delta_scan('{uri}')").to_arrow_table()


def lines(table):
    kind = pa.struct(list(table.schema))
    return [text(row, kind) for row in table.to_pylist()]


READERS = {"delta-rs": by_delta_rs, "duckdb": by_duckdb}
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"rows": lines(READERS[request["reader"]](request["uri"]))}
    except BaseException as error:  # a panic of native code is no Exception
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
