// The measured process of `bench/tracing/tracing.ts`: ingests the same records repeatedly, alternating
// between all variants.
import { trace } from '@opentelemetry/api'
import type { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { lastValueFrom, Observable } from 'rxjs'
import { findPackageFile } from '../../src/cli/package-file.ts'
import { readContract } from '../../src/contract/file.ts'
import type { Batch, StageTiming } from '../../src/core/batch.ts'
import { Credit } from '../../src/core/credit/credit.ts'
import type { Raw } from '../../src/core/raw.ts'
import { isTracing, nowMs } from '../../src/core/stage/span.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { pack, traceparentsOf } from '../../src/kafka/source/pack-records.ts'
import { pipeline } from '../../src/pipeline.ts'
import { generateUserEvents } from '../../src/sample/user-events.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { openFlushTrace } from '../../src/telemetry/tracing/flush-trace.ts'
import { startTelemetry } from '../../src/telemetry/tracing/tracing.ts'

/** Lists the variants that are compared. */
export const VARIANTS = ['none', 'off', 'on'] as const
/**
 * Names a variant: `none` without any tracing code, `off` like a service without a collector, `on` with a
 * collector.
 */
export type Variant = (typeof VARIANTS)[number]

/** Holds the arguments of the measured process. */
export interface TracingTask {
  readonly endpoint: string
  readonly batchRecords: number
  readonly flushRecords: number
  readonly records: number
  /** Number of warm-up runs of each variant. */
  readonly runsBefore: number
  readonly runs: number
}

/**
 * Holds the CPU per record in µs of every run, including the export of spans. Runs with the same index
 * followed each other.
 */
export type TracingMeasured = Readonly<Record<Variant, readonly number[]>>

const task = JSON.parse(process.argv[2] ?? '') as TracingTask
const contract = await readContract(findPackageFile('schemas/user-events.schema.json'))
const raws = rawsOf(task)
const telemetry = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: task.endpoint })
// The API returns a proxy; the provider behind it is removed and restored.
const spans = (trace.getTracerProvider() as unknown as { getDelegate(): NodeTracerProvider }).getDelegate()
const measured: Record<Variant, number[]> = { none: [], off: [], on: [] }
// Warm-up runs exclude one-time work and code that is not compiled yet.
for (let run = -task.runsBefore; run < task.runs; run++) {
  // The order rotates, so that no variant always follows the same other one.
  for (let i = 0; i < VARIANTS.length; i++) {
    const variant = VARIANTS[(i + run + task.runsBefore) % VARIANTS.length] as Variant
    const micros = await microsOf(variant)
    if (run >= 0) measured[variant].push(micros)
  }
}
await telemetry.shutdown()
process.stdout.write(`${JSON.stringify(measured satisfies TracingMeasured)}\n`)

async function microsOf(variant: Variant): Promise<number> {
  if (variant === 'on') trace.setGlobalTracerProvider(spans)
  // Collects the garbage of the previous run.
  globalThis.gc?.()
  const before = process.cpuUsage()
  await carry(variant)
  await spans.forceFlush()
  const { user, system } = process.cpuUsage(before)
  trace.disable()
  return (user + system) / task.records
}

async function carry(variant: Variant): Promise<void> {
  const store = new MemoryStore()
  await createTable(store, { schema: contract.schema, partitionColumns: [] })
  const table = await openTableWriter(store)
  const credit = new Credit(2 ** 40)
  const commits = pipeline(
    batchesOf(raws, credit),
    {
      source: { commitOffsets: () => Promise.resolve(), reset: () => Promise.resolve() },
      credit,
      table,
      store,
      appId: 'bench',
      deadLetters: { write: () => Promise.resolve() },
      format: jsonFormat({ schema: contract.schema, plain: contract.plain }),
      contract,
      enrichments: [],
      ...(variant === 'none' ? {} : { openTrace: (facts) => openFlushTrace({ ...facts, groupId: 'bench' }) }),
    },
    {
      partitionColumns: [],
      flush: { count: task.flushRecords, bytes: 2 ** 40, ageMs: 3_600_000 },
      parquet: { compression: 'zstd', rowGroupRows: 131_072, rowGroupBytes: 33_554_432 },
    },
  )
  await lastValueFrom(commits)
}

/** Emits batches like a source, with the timing of the poll and the traces of producers. */
function batchesOf(raws: readonly Raw[], credit: Credit): Observable<Batch<Raw>> {
  return new Observable((subscriber) => {
    void (async () => {
      let follows: bigint | undefined
      for (const payload of raws) {
        const endMs = nowMs()
        const poll: StageTiming = { stage: 'poll', startMs: endMs - 1, endMs }
        const [first = 0n] = payload.offsets
        const last = payload.offsets.at(-1) ?? first
        const provenance = {
          topic: 'events',
          partition: 0,
          follows,
          first,
          last,
          records: payload.count,
          bytes: payload.bytes.length,
          polledAtMs: Date.now(),
          traceparents: isTracing() ? traceparentsOf(payload) : [],
          timings: [poll],
        }
        follows = last
        credit.charge(provenance.bytes)
        subscriber.next({ provenance, payload })
        await new Promise((resolve) => setImmediate(resolve))
      }
      subscriber.complete()
    })()
  })
}

function rawsOf({ records: count, batchRecords }: TracingTask): readonly Raw[] {
  const raws: Raw[] = []
  let records: Parameters<typeof pack>[2][number][] = []
  let offset = 0
  for (const { value } of generateUserEvents({ seed: 1, count })) {
    const id = (offset + 1).toString(16)
    const traceparent = Buffer.from(`00-${id.padStart(32, '0')}-${id.padStart(16, '0')}-01`)
    const place = { timestamp: '1772323200000', offset: String(offset++) }
    records.push({ key: null, value, ...place, headers: { traceparent } })
    if (records.length < batchRecords) continue
    raws.push(pack('events', 0, records, 0n))
    records = []
  }
  return raws
}
