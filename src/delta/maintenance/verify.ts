import { messageOf, PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Columns } from '../../arrow/column.ts'
import { isNull } from '../../arrow/column.ts'
import { longAt, textAt } from '../../arrow/values.ts'
import { FileStatistics } from '../../parquet/statistics.ts'
import type { Add, Txn } from '../protocol/actions.ts'
import { checksumFaults } from '../log/checksum.ts'
import { deletionVectorOf } from '../files/deletion-vector.ts'
import { liveFiles } from '../log/live-files.ts'
import { openMaintained } from './maintainable.ts'
import { KeptFiles, visibleFiles } from '../files/referenced-files.ts'
import { OffsetSet } from './offset-set.ts'
import { decodePath } from '../protocol/paths.ts'
import { fileRows, type Rewrite, rewriteOf } from '../rewrite/data-file.ts'
import { parseStats } from '../statistics/stats.ts'
import { liesIn } from '../statistics/stats-check.ts'

/** One thing that is wrong with the table. */
export interface Problem {
  readonly kind:
    | 'missing file'
    | 'damaged file'
    | 'wrong size'
    | 'wrong statistics'
    | 'wrong checksum'
    | 'duplicate'
    | 'beyond txn'
  readonly path?: string
  readonly detail: string
}

/** What one Kafka partition brought, as the columns `_kafka_*` tell. */
export interface PartitionRows {
  readonly topic: string
  readonly partition: number
  readonly rows: number
  readonly first: bigint
  readonly last: bigint
  /** Offsets between first and last without a row: dead letters, tombstones, compaction, markers; information alone. */
  readonly missing: bigint
  readonly duplicates: number
}

/** What was found. */
export interface Verified {
  readonly version: bigint
  readonly files: number
  readonly rows: number
  readonly bytes: number
  /** How many things are wrong. */
  readonly problems: number
  /** Files in the folder that the table does not name, young and old: information, for vacuum. */
  readonly orphans: number
  readonly orphanBytes: number
  readonly partitions: readonly PartitionRows[]
}

/** Who is told while the table is read. */
export interface VerifyOptions {
  readonly onProblem: (problem: Problem) => Promise<void>
  readonly onOrphan?: (key: string, bytes: number) => Promise<void>
  /** After every file. */
  readonly onProgress?: (files: number) => void
}

/** Duplicates of one Kafka partition that are told one by one; the rest are counted. */
const DUPLICATES_TOLD_MAX = 10

/**
 * Reads every file of the newest version and measures what the log says of it: that it is there, its size, its statistics;
 * that the checksum of the version says the same; and, where the columns `_kafka_partition` and `_kafka_offset` are there, that no record is a row twice and that none
 * lies beyond the `txn` of its partition. One file is in memory at a time, and a bit for every offset.
 * Throws `KD_TABLE_UNSUPPORTED` by the feature's name, `KD_TABLE_MISSING`, `KD_TABLE_CORRUPT`.
 */
export async function verifyTable(store: Store, options: VerifyOptions): Promise<Verified> {
  const { segment, state, metadata, shape } = await openMaintained(store, 'verify')
  const rewrite = rewriteOf(shape)
  const kept = new KeptFiles()
  const offsets = new KafkaRows()
  const sum = { files: 0, rows: 0, bytes: 0, problems: 0, orphans: 0, orphanBytes: 0 }
  const report = async (problem: Problem): Promise<void> => {
    sum.problems++
    await options.onProblem(problem)
  }
  for await (const file of liveFiles(store, segment)) {
    kept.keep(file.kind === 'add' ? file.add : file.remove)
    if (file.kind !== 'add') continue
    const { problems, rows } = await readFile(store, file.add, rewrite, offsets)
    for (const problem of problems) await report(problem)
    sum.files++
    sum.rows += rows
    sum.bytes += file.add.size
    options.onProgress?.(sum.files)
  }
  for (const detail of await checksumFaults(store, state, sum))
    await report({ kind: 'wrong checksum', detail })
  for (const problem of offsets.problems(state.txns)) await report(problem)
  for await (const { key, bytes } of visibleFiles(store, metadata.partitionColumns)) {
    if (kept.has(key)) continue
    sum.orphans++
    sum.orphanBytes += bytes
    await options.onOrphan?.(key, bytes)
  }
  return { version: state.version, ...sum, partitions: offsets.summary() }
}

async function readFile(
  store: Store,
  add: Add,
  rewrite: Rewrite,
  offsets: KafkaRows,
): Promise<{ problems: readonly Problem[]; rows: number }> {
  const { path } = add
  const size = await store.size(decodePath(path))
  if (size === undefined)
    return { problems: [{ kind: 'missing file', path, detail: 'it is not there' }], rows: 0 }
  const problems: Problem[] = []
  if (size !== add.size)
    problems.push({ kind: 'wrong size', path, detail: `the log says ${add.size} bytes, it has ${size}` })
  const { fileSchema, columns: schema } = rewrite.layout
  const visible = schema.fields.length
  const statistics = new FileStatistics(fileSchema, Infinity, Infinity)
  try {
    for await (const { columns: all, length } of fileRows(store, rewrite, add)) {
      const columns = all.slice(0, visible)
      statistics.update(columns, length)
      offsets.take({ schema, columns, length })
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_PARQUET_FAILED') throw cause
    problems.push({ kind: 'damaged file', path, detail: messageOf(cause) })
    return { problems, rows: statistics.rows }
  }
  const lies = statisticsOf(add, statistics, fileSchema)
  problems.push(...lies.map((detail): Problem => ({ kind: 'wrong statistics', path, detail })))
  return { problems, rows: statistics.rows }
}

/** What is not true in the statistics of a file. With a deletion vector they speak of rows that are deleted as well. */
function statisticsOf(add: Add, measured: FileStatistics, schema: StructType): readonly string[] {
  const recorded = parseStats(add.stats)
  if (recorded === undefined) return []
  const actual = parseStats(measured.json()) ?? {}
  const vector = deletionVectorOf(add)
  if (vector === undefined) return liesIn(recorded, actual, schema)
  // Bounds hold for the rows that are left too; counts of nulls do not.
  const { minValues, maxValues } = actual
  return liesIn(recorded, { minValues, maxValues, numRecords: measured.rows + vector.cardinality }, schema)
}

/** Records of one message at most, by the options of topics. */
const PARTS_MAX = 1n << 20n
/** Most messages that hold several records hold fewer than these. */
const PARTS_BITS = 256n

/** Rows by the Kafka partition that they stem from. */
class KafkaRows {
  readonly #partitions = new Map<
    string,
    {
      topic: string
      partition: number
      rows: number
      offsets: OffsetSet
      /** Where messages hold several records: which of them are rows. */
      parts: OffsetSet
      duplicates: bigint[]
      repeated: number
    }
  >()

  /** Takes rows up; rows without partition or offset are none of Kafka's. */
  take({ schema, columns, length }: Columns): void {
    const column = (name: string, type: string): Columns['columns'][number] | undefined => {
      const at = schema.fields.findIndex((field) => field.name === name && field.type === type)
      return columns[at]
    }
    const partitions = column('_kafka_partition', 'integer')
    const offsets = column('_kafka_offset', 'long')
    const topics = column('_kafka_topic', 'string')
    const parts = column('_kafka_part', 'integer')
    if (partitions?.kind !== 'fixed' || offsets?.kind !== 'fixed') return
    for (let row = 0; row < length; row++) {
      if (isNull(partitions, row) || isNull(offsets, row)) continue
      const offset = longAt(offsets.values, row)
      if (offset < 0n) continue
      const topic = topics?.kind === 'bytes' && !isNull(topics, row) ? textAt(topics, row) : ''
      const part = parts?.kind === 'fixed' && !isNull(parts, row) ? (parts.values[row] as number) : undefined
      this.#add(topic, partitions.values[row] as number, offset, part)
    }
  }

  #add(topic: string, partition: number, offset: bigint, part: number | undefined): void {
    const key = `${partition}/${topic}`
    let held = this.#partitions.get(key)
    if (held === undefined) {
      const offsets = new OffsetSet()
      const parts = new OffsetSet(PARTS_BITS)
      held = { topic, partition, rows: 0, offsets, parts, duplicates: [], repeated: 0 }
      this.#partitions.set(key, held)
    }
    held.rows++
    const first = held.offsets.add(offset)
    if (part === undefined ? first : held.parts.add(offset * PARTS_MAX + BigInt(part))) return
    held.repeated++
    if (held.duplicates.length < DUPLICATES_TOLD_MAX) held.duplicates.push(offset)
  }

  /** Duplicates, and rows that the table does not own up to. */
  *problems(txns: ReadonlyMap<string, Txn>): Generator<Problem> {
    for (const { topic, partition, offsets, duplicates, repeated } of this.#partitions.values()) {
      const where = `${topic} partition ${partition}`
      for (const offset of duplicates)
        yield { kind: 'duplicate', detail: `${where}: offset ${offset} is a row more than once` }
      if (repeated > duplicates.length)
        yield {
          kind: 'duplicate',
          detail: `${where}: ${repeated - duplicates.length} more rows are duplicates`,
        }
      const carried = carriedTo(txns, partition)
      const { last } = offsets
      if (carried !== undefined && last !== undefined && last > carried)
        yield { kind: 'beyond txn', detail: `${where}: offset ${last} is a row, its txn says ${carried}` }
    }
  }

  summary(): readonly PartitionRows[] {
    return [...this.#partitions.values()]
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
      .map(({ topic, partition, rows, offsets, repeated }) => ({
        topic,
        partition,
        rows,
        first: offsets.first ?? 0n,
        last: offsets.last ?? 0n,
        missing: offsets.missing,
        duplicates: repeated,
      }))
  }
}

/** The largest offset that any pipeline says it has carried of the partition; an appId ends with the partition's number. */
function carriedTo(txns: ReadonlyMap<string, Txn>, partition: number): bigint | undefined {
  let carried: bigint | undefined
  for (const { appId, version } of txns.values())
    if (appId.endsWith(`-${partition}`) && (carried === undefined || version > carried)) carried = version
  return carried
}
