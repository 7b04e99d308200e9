# Carries messages into a table by delta-rs as kafka-delta-ingest does: URI, app id, first offset, a file of messages as
# lines of JSON. Each goes to the row of its offset; the last offset is noted for partition 0. Prints the offset that was
# noted before, or "none". The table is created, partitioned by date, where it is absent.
import json
import os
import sys
import time

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

uri, app_id, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(sys.argv[4]) as lines:
    messages = [json.loads(line) for line in lines if line.strip()]
columns = pa.schema(
    [
        ("uuid", pa.string()),
        ("status", pa.int32()),
        ("offset", pa.int64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("date", pa.string()),
    ]
)
if not DeltaTable.is_deltatable(uri):
    DeltaTable.create(uri, schema=columns, partition_by=["date"])
before = DeltaTable(uri).transaction_version(f"{app_id}-0")
rows = [
    {
        "uuid": message["uuid"],
        "status": message["status"],
        "offset": first + number,
        "at": None,
        "date": message["meta"]["producer"]["timestamp"][:10],
    }
    for number, message in enumerate(messages)
]
last = first + len(rows) - 1
noted = Transaction(app_id=f"{app_id}-0", version=last, last_updated=int(time.time() * 1000))
write_deltalake(
    uri,
    pa.Table.from_pylist(rows, schema=columns),
    mode="append",
    commit_properties=CommitProperties(app_transactions=[noted]),
)
print("none" if before is None else before)

# Threads of native readers that are still there at an ordinary end abort the process now and then.
sys.stdout.flush()
os._exit(0)
