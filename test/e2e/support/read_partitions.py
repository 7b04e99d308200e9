"""For each partition that is asked for, given as `column=value` pairs joined by slashes: the files that delta-rs reads, the ids that it finds in them, and the ids that DuckDB finds."""

import json
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta

uri, *wanted = sys.argv[1:]
table = deltalake.DeltaTable(uri)
folder = os.path.join(os.path.dirname(duckdb_extension_delta.__file__), "extensions")
connection = duckdb.connect(config={"allow_unsigned_extensions": True})
connection.execute(f"LOAD '{os.path.join(folder, 'v' + duckdb.__version__, 'delta.duckdb_extension')}'")
for partition in wanted:
    pairs = [pair.split("=", 1) for pair in partition.split("/")]
    filters = [(column, "=", value) for column, value in pairs]
    where = " AND ".join(f"{column}::VARCHAR = '{value}'" for column, value in pairs)
    ids = connection.execute(f"SELECT id FROM delta_scan('{uri}') WHERE {where} ORDER BY id").fetchall()
    print(
        json.dumps(
            {
                "files": len(table.file_uris(filters)),
                "deltaRs": sorted(table.to_pyarrow_table(partitions=filters)["id"].to_pylist()),
                "duckdb": [row[0] for row in ids],
            }
        )
    )

# Threads of native readers that are still there at an ordinary end abort the process now and then.
sys.stdout.flush()
os._exit(0)
