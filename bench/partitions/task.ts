// Runs one flush of late data over many table partitions in a process of its own; its last line of output has
// time and peak memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { from, lastValueFrom } from 'rxjs'
import { bufferTimeOrCount } from '../../operators/buffer-time-or-count.ts'
import { commitDelta } from '../../operators/commit-delta.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import { toArrow } from '../../operators/to-arrow.ts'
import { layOutForSnapshot, writeParquet } from '../../operators/write-parquet.ts'
import { BytesBuilder } from '../../src/arrow/bytes-builder.ts'
import { FixedBuilder } from '../../src/arrow/fixed-builder.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { layoutOf } from '../../src/delta/files/layout.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { pack } from '../../src/kafka/source/pack-records.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import type { PartitionsMeasured, PartitionsTask } from './measured.ts'

const BATCH_ROWS = 2_000
const EPOCH_DAYS = 5_000
const schema: StructType = {
  type: 'struct',
  fields: (
    [
      ['id', 'long'],
      ['user', 'string'],
      ['event', 'string'],
      ['amount', 'double'],
      ['at', 'timestamp'],
      ['note', 'string'],
      ['day', 'date'],
    ] as const satisfies readonly (readonly [string, DataType])[]
  ).map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
}

const task = JSON.parse(process.argv[2] ?? '') as PartitionsTask
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-partitions-'))
try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function run(): Promise<PartitionsMeasured> {
  const store = new LocalStore(folder)
  await createTable(store, { schema, partitionColumns: ['day'] })
  const table = await openTableWriter(store)
  const rssBytesStart = process.resourceUsage().maxRSS * 1024
  const startMs = performance.now()
  const files = {
    arrow: { layout: () => layoutOf(table.shape) },
    parquet: {
      store,
      parquet: { compression: 'zstd', rowGroupRows: 131_072, rowGroupBytes: 33_554_432 },
    },
  } as const
  const limits = { count: task.rows, bytes: 2 ** 40, ageMs: 3_600_000, partitionsMax: task.partitions }
  const flush = await lastValueFrom(
    from(batches()).pipe(
      partitionBy(['day']),
      bufferTimeOrCount(limits),
      toArrow(files.arrow),
      writeParquet(files.parquet),
      commitDelta({
        table,
        appId: 'bench',
        deadLetters: { write: () => Promise.resolve() },
        layOutForSnapshot: (made) => layOutForSnapshot(made, files),
        handleFenced: () => Promise.reject(new Error('There is no other writer')),
      }),
    ),
  )
  await table.idle()
  return {
    files: flush.payload.adds.length,
    wallS: (performance.now() - startMs) / 1e3,
    rssBytesStart,
    rssBytesMax: process.resourceUsage().maxRSS * 1024,
  }
}

function* batches(): Generator<Batch<Rows>> {
  for (let first = 0; first < task.rows; first += BATCH_ROWS) yield batchOf(first)
}

/**
 * Returns a batch in which consecutive rows belong to different days, so that it has rows of as many
 * partitions as possible.
 */
function batchOf(first: number): Batch<Rows> {
  const [id, amount, at, day] = (['long', 'double', 'timestamp', 'date'] as const).map(
    (type) => new FixedBuilder(type),
  ) as [FixedBuilder, FixedBuilder, FixedBuilder, FixedBuilder]
  const [user, event, note] = [0, 1, 2].map(() => new BytesBuilder('string')) as [
    BytesBuilder,
    BytesBuilder,
    BytesBuilder,
  ]
  for (let row = first; row < first + BATCH_ROWS; row++) {
    const days = EPOCH_DAYS + (row % task.partitions)
    id.appendSafe(row)
    user.append(`user-${(row * 7919) % 10_007}`)
    event.append(row % 3 === 0 ? 'click' : 'view')
    amount.appendNumber(row / 7)
    at.appendMicros(days, row % 86_400_000_000)
    note.append(`a note of some length about row ${row}`)
    day.appendNumber(days)
  }
  const columns = [id, user, event, amount, at, note, day].map((builder) => builder.finish())
  const last = BigInt(first + BATCH_ROWS - 1)
  return {
    provenance: {
      topic: 'late',
      partition: 0,
      follows: first === 0 ? undefined : BigInt(first - 1),
      first: BigInt(first),
      last,
      records: BATCH_ROWS,
      bytes: BATCH_ROWS * 100,
      polledAtMs: 0,
      traceparents: [],
      timings: [],
    },
    payload: {
      raw: pack('late', 0, [], BigInt(first)),
      columns: { schema, length: BATCH_ROWS, columns },
      records: Int32Array.from({ length: BATCH_ROWS }, (_, row) => row),
      deadLetters: [],
      tombstones: 0,
      filtered: 0,
    },
  }
}
