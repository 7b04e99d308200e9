# Appends rows to a table, one commit each, by delta-rs: URI, first id, count. The last line is what it then reads.
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

uri, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    write_deltalake(uri, pa.table({"id": pa.array([number], pa.int64())}), mode="append")
table = DeltaTable(uri)
ids = table.to_pyarrow_table().column("id").to_pylist()
print(table.version(), *sorted(ids))

# Threads of native readers that are still there at an ordinary end abort the process now and then.
sys.stdout.flush()
os._exit(0)
