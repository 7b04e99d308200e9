import { messageOf, PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Columns } from '../../arrow/column.ts'
import { isNull } from '../../arrow/column.ts'
import { longAt, textAt } from '../../arrow/values.ts'
import { FileStatistics } from '../../parquet/statistics.ts'
import type { Add, Txn } from '../protocol/actions.ts'
import { findChecksumFaults } from '../log/checksum.ts'
import { deletionVectorOf } from '../files/deletion-vector.ts'
import { readLiveFiles } from '../log/live-files.ts'
import { openMaintainedTable } from './maintained-table.ts'
import { ReferencedFiles, listVisibleFiles } from '../files/referenced-files.ts'
import { OffsetSet } from './offset-set.ts'
import { decodePath } from '../protocol/paths.ts'
import { readFileRows, type RewritePlan, rewritePlanOf } from '../rewrite/data-file.ts'
import { parseStats } from '../statistics/stats.ts'
import { findStatsFaults } from '../statistics/stats-check.ts'

/** Describes one problem of a table. */
export interface TableProblem {
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

/** Counts the rows of one Kafka partition, by the columns `_kafka_*`. */
interface KafkaPartitionRows {
  readonly topic: string
  readonly partition: number
  readonly rows: number
  readonly first: bigint
  readonly last: bigint
  /**
   * Offsets between first and last without a row: dead letters, tombstones, compaction, markers. For information only.
   */
  readonly missing: bigint
  readonly duplicates: number
}

/** Summarises a verified table. */
export interface VerifyResult {
  readonly version: bigint
  readonly files: number
  readonly rows: number
  readonly bytes: number
  /** Number of problems. */
  readonly problems: number
  /** Files in the table directory that the table does not reference, of any age; candidates for vacuum. */
  readonly orphans: number
  readonly orphanBytes: number
  readonly partitions: readonly KafkaPartitionRows[]
}

/** Receives findings while the table is read. */
interface VerifyOptions {
  readonly onProblem: (problem: TableProblem) => Promise<void>
  readonly onOrphan?: (key: string, bytes: number) => Promise<void>
  /** Called after every file with the number of files read. */
  readonly onProgress?: (files: number) => void
}

/** Maximum of duplicates per Kafka partition that are reported one by one; the rest is counted. */
const DUPLICATES_REPORTED_MAX = 10

/**
 * Reads all files of the newest version and compares them with the log: existence, size and statistics of files, and
 * the checksum of the version. If the columns `_kafka_partition` and `_kafka_offset` exist, it also checks that no
 * record has more than one row and that no row is beyond the `txn` of its partition. Memory holds one file at a time
 * and one bit per offset.
 * @throws KD_TABLE_UNSUPPORTED with the name of a feature
 * @throws KD_TABLE_MISSING, KD_TABLE_CORRUPT
 */
export async function verifyTable(store: Store, options: VerifyOptions): Promise<VerifyResult> {
  const { segment, state, metadata, shape } = await openMaintainedTable(store, 'verify')
  const rewrite = rewritePlanOf(shape)
  const kept = new ReferencedFiles()
  const offsets = new KafkaRows()
  const sum = { files: 0, rows: 0, bytes: 0, problems: 0, orphans: 0, orphanBytes: 0 }
  const report = async (problem: TableProblem): Promise<void> => {
    sum.problems++
    await options.onProblem(problem)
  }
  for await (const file of readLiveFiles(store, segment)) {
    kept.add(file.kind === 'add' ? file.add : file.remove)
    if (file.kind !== 'add') continue
    const { problems, rows } = await readFile(store, file.add, rewrite, offsets)
    for (const problem of problems) await report(problem)
    sum.files++
    sum.rows += rows
    sum.bytes += file.add.size
    options.onProgress?.(sum.files)
  }
  for (const detail of await findChecksumFaults(store, state, sum))
    await report({ kind: 'wrong checksum', detail })
  for (const problem of offsets.problems(state.txns)) await report(problem)
  for await (const { key, bytes } of listVisibleFiles(store, metadata.partitionColumns)) {
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
  rewrite: RewritePlan,
  offsets: KafkaRows,
): Promise<{ problems: readonly TableProblem[]; rows: number }> {
  const { path } = add
  const size = await store.size(decodePath(path))
  if (size === undefined)
    return { problems: [{ kind: 'missing file', path, detail: 'no such file in the store' }], rows: 0 }
  const problems: TableProblem[] = []
  if (size !== add.size)
    problems.push({
      kind: 'wrong size',
      path,
      detail: `the log says ${add.size} bytes, the file has ${size}`,
    })
  const { fileSchema, columns: schema } = rewrite.layout
  const visible = schema.fields.length
  const statistics = new FileStatistics(fileSchema, Infinity, Infinity)
  try {
    for await (const { columns: all, length } of readFileRows(store, rewrite, add)) {
      const columns = all.slice(0, visible)
      statistics.update(columns, length)
      offsets.take({ schema, columns, length })
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_PARQUET_FAILED') throw cause
    problems.push({ kind: 'damaged file', path, detail: messageOf(cause) })
    return { problems, rows: statistics.rows }
  }
  const faults = checkStatistics(add, statistics, fileSchema)
  problems.push(...faults.map((detail): TableProblem => ({ kind: 'wrong statistics', path, detail })))
  return { problems, rows: statistics.rows }
}

/**
 * Returns the differences between the statistics of a file and its rows. With a deletion vector, statistics cover
 * deleted rows as well.
 */
function checkStatistics(add: Add, measured: FileStatistics, schema: StructType): readonly string[] {
  const recorded = parseStats(add.stats)
  if (recorded === undefined) return []
  const actual = parseStats(measured.json()) ?? {}
  const vector = deletionVectorOf(add)
  if (vector === undefined) return findStatsFaults(recorded, actual, schema)
  // Bounds also enclose the remaining rows; counts of nulls do not match them.
  const { minValues, maxValues } = actual
  return findStatsFaults(
    recorded,
    { minValues, maxValues, numRecords: measured.rows + vector.cardinality },
    schema,
  )
}

/** Maximum of records per message, as limited by topic options. */
const PARTS_MAX = 1n << 20n
/** Bits per chunk: most messages with several records have fewer than this. */
const PARTS_BITS = 256n

/** Collects the rows of each Kafka partition. */
class KafkaRows {
  readonly #partitions = new Map<
    string,
    {
      topic: string
      partition: number
      rows: number
      offsets: OffsetSet
      /** For messages with several records: the records that have rows. */
      parts: OffsetSet
      duplicates: bigint[]
      repeated: number
    }
  >()

  /** Adds rows; rows without partition or offset do not come from Kafka. */
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
    if (held.duplicates.length < DUPLICATES_REPORTED_MAX) held.duplicates.push(offset)
  }

  /** Yields duplicates, and rows beyond the committed offset of their partition. */
  *problems(txns: ReadonlyMap<string, Txn>): Generator<TableProblem> {
    for (const { topic, partition, offsets, duplicates, repeated } of this.#partitions.values()) {
      const where = `${topic} partition ${partition}`
      for (const offset of duplicates)
        yield { kind: 'duplicate', detail: `${where}: offset ${offset} is a row more than once` }
      if (repeated > duplicates.length)
        yield {
          kind: 'duplicate',
          detail: `${where}: ${repeated - duplicates.length} more rows are duplicates`,
        }
      const committed = committedOffsetOf(txns, partition)
      const { last } = offsets
      if (committed !== undefined && last !== undefined && last > committed)
        yield { kind: 'beyond txn', detail: `${where}: offset ${last} is a row, its txn says ${committed}` }
    }
  }

  summary(): readonly KafkaPartitionRows[] {
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

/**
 * Returns the largest committed offset of the Kafka partition among all pipelines; an appId ends with the partition
 * number.
 */
function committedOffsetOf(txns: ReadonlyMap<string, Txn>, partition: number): bigint | undefined {
  let committed: bigint | undefined
  for (const { appId, version } of txns.values())
    if (appId.endsWith(`-${partition}`) && (committed === undefined || version > committed))
      committed = version
  return committed
}
