/**
 * A custom chain of operators: page views from an in-memory source are cleaned row by row by plain functions
 * and written to a Delta table in memory. Every operator can be used on its own; those between `validate` and
 * `enrich` are written here.
 *
 * In your own project, import from 'kafka-delta'.
 */
import { from, lastValueFrom, toArray } from 'rxjs'
import type { Observable } from 'rxjs'
import { bufferTimeOrCount } from '../operators/buffer-time-or-count.ts'
import { commitDelta } from '../operators/commit-delta.ts'
import { commitOffsets } from '../operators/commit-offsets.ts'
import type { PipelineCommit } from '../operators/commit-offsets.ts'
import { decode } from '../operators/decode.ts'
import { enrich } from '../operators/enrich.ts'
import { filterRows } from '../operators/rows/filter-rows.ts'
import { mapRows } from '../operators/rows/map-rows.ts'
import { tapRows } from '../operators/rows/tap-rows.ts'
import { partitionBy } from '../operators/partition-by.ts'
import { toArrow } from '../operators/to-arrow.ts'
import { validate } from '../operators/validate.ts'
import { layOutForSnapshot, writeParquet } from '../operators/write-parquet.ts'
import type { FileTarget } from '../operators/write-parquet.ts'
import { loadContract } from '../src/contract/contract.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import type { StructType } from '../src/core/schema.ts'
import { createTable } from '../src/delta/maintenance/create.ts'
import { layoutOf } from '../src/delta/files/layout.ts'
import { openTableWriter } from '../src/delta/commit/log-writer.ts'
import { derivedColumn } from '../src/enrichments/derived-column.ts'
import { jsonFormat } from '../src/formats/json/format.ts'
import { pack } from '../src/kafka/source/pack-records.ts'
import { MemoryStore } from '../src/storage/memory.ts'
import type { Store } from '../src/storage/store.ts'

/** Contract of the records. */
const contract = loadContract(
  {
    type: 'object',
    required: ['url', 'at'],
    properties: {
      url: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
      ms: { type: ['integer', 'null'], minimum: 0 },
    },
  },
  { source: 'page-view' },
)

/** Columns that `mapRows` produces. */
const cleaned: StructType = {
  type: 'struct',
  fields: [
    { name: 'host', type: 'string', nullable: true, metadata: {} },
    { name: 'path', type: 'string', nullable: true, metadata: {} },
    { name: 'at', type: 'timestamp', nullable: true, metadata: {} },
    { name: 'seconds', type: 'double', nullable: true, metadata: {} },
  ],
}

const day = derivedColumn('day', 'date(at)', cleaned)
const partitionColumns = ['day']

/** Holds the results of the chain. */
export interface PageViewResult {
  readonly store: Store
  readonly commits: readonly PipelineCommit[]
  readonly deadLetters: readonly DeadLetter[]
  /** Number of page views by host, counted in `tapRows`. */
  readonly seen: ReadonlyMap<string, number>
}

/** Ingests `batches` into a new table. Resolves when everything is committed. */
export async function carryPageViews(batches: Observable<Batch<Raw>>): Promise<PageViewResult> {
  const store = new MemoryStore()
  await createTable(store, {
    schema: { type: 'struct', fields: [...cleaned.fields, ...day.fields] },
    partitionColumns,
  })
  const table = await openTableWriter(store)
  const deadLetters: DeadLetter[] = []
  const seen = new Map<string, number>()
  const format = jsonFormat({ schema: contract.schema, plain: contract.plain })

  /** What the files are made for: the table as it is when a flush is formed. */
  const files: FileTarget = {
    arrow: { layout: () => layoutOf(table.shape) },
    parquet: { store, parquet: { compression: 'zstd', rowGroupRows: 100_000 } },
  }

  // RxJS has types for nine operators in one pipe; a chain may use any number of pipes.
  const rows = batches.pipe(
    decode(format),
    validate(contract),
    // An invalid URL throws here, and its record becomes a dead letter.
    mapRows(
      (row) => {
        const url = new URL(String(row['url']))
        const seconds = typeof row['ms'] === 'number' ? row['ms'] / 1000 : null
        return { host: url.host, path: url.pathname, at: row['at'], seconds }
      },
      { schema: cleaned },
    ),
    filterRows((row) => row['path'] !== '/health'),
    tapRows((row) => {
      const host = String(row['host'])
      seen.set(host, (seen.get(host) ?? 0) + 1)
    }),
    enrich([day]),
  )
  const commits = await lastValueFrom(
    rows.pipe(
      partitionBy(partitionColumns),
      bufferTimeOrCount({ count: 1_000, bytes: 16 * 1024 * 1024, ageMs: 5_000 }),
      toArrow(files.arrow),
      writeParquet(files.parquet),
      commitDelta({
        table,
        appId: 'page-views',
        deadLetters: {
          write: (letters) => {
            deadLetters.push(...letters)
            return Promise.resolve()
          },
        },
        // Another writer may change the table before the commit.
        layOutForSnapshot: (made) => layOutForSnapshot(made, files),
        handleFenced: (_, appIds) =>
          Promise.reject(new Error(`Another process writes as ${appIds.join(', ')}`)),
      }),
      commitOffsets({ source: { commitOffsets: () => Promise.resolve() } }),
      toArray(),
    ),
  )
  return { store, commits, deadLetters, seen }
}

/** Returns a source without Kafka: each list of texts becomes one batch of a single partition, with offsets from 0. */
export function batchesOf(topic: string, lists: readonly (readonly string[])[]): Observable<Batch<Raw>> {
  let next = 0n
  return from(
    lists.map((texts): Batch<Raw> => {
      const first = next
      next += BigInt(texts.length)
      const records = texts.map((text, index) => ({
        key: null,
        value: Buffer.from(text),
        timestamp: String(Date.UTC(2026, 2, 1)),
        offset: String(first + BigInt(index)),
      }))
      const payload = pack(topic, 0, records, first)
      const provenance = {
        topic,
        partition: 0,
        follows: first === 0n ? undefined : first - 1n,
        first,
        last: next - 1n,
        records: texts.length,
        bytes: payload.bytes.length,
        polledAtMs: Date.now(),
        traceparents: [],
        timings: [],
      }
      return { provenance, payload }
    }),
  )
}
