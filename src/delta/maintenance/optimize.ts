import { randomUUID } from 'node:crypto'
import { systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Columns } from '../../arrow/column.ts'
import type { Store } from '../../storage/store.ts'
import type { Action, Add } from '../protocol/actions.ts'
import { type Bin, type PackingCandidate, packingCandidateOf, BinPacker } from '../rewrite/bin-packing.ts'
import {
  commitTableChange,
  removeActionOf,
  type TableChange,
  type TableChangeOptions,
} from '../commit/change.ts'
import { findMetadataConflict } from '../commit/conflicts.ts'
import { clusterRows } from '../rewrite/cluster.ts'
import { zcubeFieldsOf, ZCubePlanner, type ClusteringOrder, clusteringOrderOf } from '../rewrite/zcubes.ts'
import { readLiveFiles } from '../log/live-files.ts'
import type { Layout } from '../files/layout.ts'
import { type MaintainedTable, openMaintainedTable } from './maintained-table.ts'
import { parsePartitionValue } from '../statistics/partition-values.ts'
import { decodePath } from '../protocol/paths.ts'
import { writeDataFiles } from '../files/write-data-files.ts'
import { readFileRows, type RewritePlan, rewritePlanOf } from '../rewrite/data-file.ts'
import type { LogCommit } from '../log/state.ts'
import { parseSizeBytes } from '../protocol/table-properties.ts'

/** Configures a run of OPTIMIZE. */
interface OptimizeOptions extends TableChangeOptions {
  /** Target size of new files in bytes; `delta.targetFileSize`, or 128 MiB, if absent. */
  readonly targetBytes?: number | undefined
  /** Value as text by partition column (empty for null); only files of that table partition are packed. */
  readonly where?: Readonly<Record<string, string>> | undefined
  /**
   * Columns of the Z-order curve along which rows are sorted, nested ones dotted; a clustered table uses its own
   * columns. Groups of files that are large enough and already sorted along this curve stay unchanged.
   */
  readonly zorder?: readonly string[] | undefined
  /** True if the service started the run rather than a user; recorded in the history. */
  readonly auto?: boolean | undefined
  /** Receives a line for every group that was committed or given up. */
  readonly onProgress?: (line: string) => void
  /** Ends the run before the next file is read; work that is not committed by then is dropped. */
  readonly signal?: AbortSignal | undefined
}

/** Counts what a run of OPTIMIZE did. */
interface OptimizeResult {
  /** Version of the last commit; absent if there was nothing to do. */
  readonly version?: bigint
  readonly commits: number
  readonly numAddedFiles: number
  readonly numRemovedFiles: number
  readonly numAddedBytes: number
  readonly numRemovedBytes: number
  /** Groups that conflicted with another writer and did not succeed in a later pass, each with its reason. */
  readonly givenUp: readonly string[]
  /** True if the run was stopped early. */
  readonly stopped: boolean
}

const PARQUET = { compression: 'zstd', rowGroupRows: 131_072, rowGroupBytes: 32 * 1024 * 1024 } as const
/** Size below which files count as small, unless options or a property of the table say another: 128 MiB. */
export const TARGET_BYTES = 128 * 1024 * 1024
/** Maximum of passes over the table: the first, and retries of groups that were given up. */
const PASSES_MAX = 3
/** Limits of one commit: they bound the work that is lost when it conflicts, and its duration. */
const GROUP_FILES_MAX = 1_000
const GROUP_BYTES_MAX = 1024 * 1024 * 1024

/**
 * Packs small files of each table partition into files of about the target size, or clusters them, while other writers
 * append: appends and packing do not conflict. Rows that deletion vectors delete are dropped, and values are written in
 * the current types of the table; all other rows, their row ids, `txn`s and the schema stay unchanged, and every commit
 * sets `dataChange: false`. A group with a file that another writer removed is given up and retried at the newest
 * version, in at most `PASSES_MAX` passes. One file is read and one written at a time; memory holds the names of all
 * files that may be packed, and what `clusterRows` needs. Spec: "Add File and Remove File" (`dataChange`), "Append-only
 * Tables", "Clustered Table", "Row Tracking".
 * @throws KD_TABLE_UNSUPPORTED with the name of a feature
 * @throws KD_TABLE_CORRUPT
 * @throws KD_COMMAND_INVALID for a column that does not partition the table or cannot be clustered by
 */
export async function optimizeTable(store: Store, options: OptimizeOptions = {}): Promise<OptimizeResult> {
  let total: OptimizeResult = {
    commits: 0,
    numAddedFiles: 0,
    numRemovedFiles: 0,
    numAddedBytes: 0,
    numRemovedBytes: 0,
    givenUp: [],
    stopped: options.signal?.aborted === true,
  }
  for (let pass = 1; pass <= PASSES_MAX && !total.stopped; pass++) {
    const table = await openMaintainedTable(store, 'rewrite')
    const runner = new OptimizePass(store, table, options, { ...total, givenUp: [] })
    total = await runner.run()
    if (total.givenUp.length === 0) break
  }
  return total
}

/** Bin of files to rewrite, with a flag for clustering. */
type Job = Bin & { readonly isCube: boolean }

/** Runs one pass over a version of the table. */
class OptimizePass {
  readonly #store: Store
  readonly #table: MaintainedTable
  readonly #options: OptimizeOptions
  readonly #rewrite: RewritePlan
  readonly #order: ClusteringOrder | undefined
  readonly #targetBytes: number
  #state: MaintainedTable['state']
  #total: OptimizeResult

  constructor(store: Store, table: MaintainedTable, options: OptimizeOptions, total: OptimizeResult) {
    this.#store = store
    this.#table = table
    this.#options = options
    this.#state = table.state
    this.#total = total
    this.#rewrite = rewritePlanOf(table.shape)
    this.#order = clusteringOrderOf(table.state, table.metadata, this.#rewrite.layout, options.zorder ?? [])
    const ofTable = parseSizeBytes(table.metadata.configuration['delta.targetFileSize'])
    this.#targetBytes = options.targetBytes ?? ofTable ?? TARGET_BYTES
  }

  async run(): Promise<OptimizeResult> {
    const jobs = await this.#plan()
    let done = 0
    for (const group of groupsOf(jobs)) {
      await this.#commit(group)
      if (this.#options.signal?.aborted === true) return { ...this.#total, stopped: true }
      done += group.length
      this.#options.onProgress?.(`${done} of ${jobs.length} groups of files`)
      // A change of schema or protocol would conflict with every further group.
      if (this.#state.metadata !== this.#table.state.metadata) break
      if (this.#state.protocol !== this.#table.state.protocol) break
    }
    return this.#total
  }

  async #plan(): Promise<readonly Job[]> {
    const wanted = partitionFilter(this.#rewrite.layout, this.#options.where ?? {})
    const packer = new BinPacker(this.#targetBytes)
    const planner = this.#order === undefined ? undefined : new ZCubePlanner(this.#order, this.#targetBytes)
    const bins: Bin[] = []
    for await (const file of readLiveFiles(this.#store, this.#table.segment)) {
      if (file.kind !== 'add' || !wanted(file.add)) continue
      const candidate = packingCandidateOf(file.add)
      if (planner !== undefined) planner.add(candidate)
      else {
        const bin = packer.add(candidate)
        if (bin !== undefined) bins.push(bin)
      }
    }
    bins.push(...packer.rest())
    return [...bins.map((bin) => ({ ...bin, isCube: false })), ...(planner?.bins() ?? [])]
  }

  async #commit(group: readonly Job[]): Promise<void> {
    const { clock = systemClock, signal } = this.#options
    const adds: Add[] = []
    try {
      for (const job of group) for await (const add of this.#write(job)) adds.push(add)
    } catch (error) {
      await this.#drop(adds)
      if (signal?.aborted === true) return
      // Another writer removed the file and a vacuum deleted it: handled like a removal now.
      if (!(error instanceof PipelineError) || error.code !== 'KD_STORE_NOT_FOUND') throw error
      this.#giveUp(group, `a data file is missing: ${error.message}`)
      return
    }
    const change = optimizeChange(group, adds, { ...this.#options, order: this.#order }, clock.now())
    const outcome = await commitTableChange(this.#store, this.#state, change, this.#options)
    this.#state = outcome.state
    if (outcome.kind === 'conflict') {
      await this.#drop(adds)
      this.#giveUp(group, `version ${outcome.version} ${outcome.reason}`)
      return
    }
    const total = this.#total
    this.#total = {
      ...total,
      version: outcome.state.version,
      commits: total.commits + 1,
      numAddedFiles: total.numAddedFiles + adds.length,
      numRemovedFiles: total.numRemovedFiles + sum(group, ({ files }) => files.length),
      numAddedBytes: total.numAddedBytes + sum(adds, ({ size }) => size),
      numRemovedBytes: total.numRemovedBytes + sum(group, ({ files }) => sum(files, ({ size }) => size)),
    }
  }

  /** Writes the files that replace those of a job. */
  async *#write({ files, bytes, isCube }: Job): AsyncGenerator<Add> {
    const { signal } = this.#options
    const [store, rewrite] = [this.#store, this.#rewrite]
    const [first] = files
    const partitionValues = first?.partitionValues ?? {}
    if (!isCube || this.#order === undefined) {
      // A single file that is rewritten stays in its Z-cube.
      const clusteringFields = files.length === 1 && first !== undefined ? clusteringFieldsOf(first) : {}
      yield* this.#writeRows(rowsOf(store, rewrite, files, signal), partitionValues, clusteringFields)
      return
    }
    const { clustering } = this.#order
    const clusteringFields = zcubeFieldsOf(this.#order, randomUUID())
    const outputs = Math.max(1, Math.round(bytes / this.#targetBytes))
    for await (const rows of clusterRows(store, rewrite, files, { clustering, outputs, signal }))
      yield* this.#writeRows(rows, partitionValues, clusteringFields)
  }

  /** Writes rows into one file, or none if there are no rows. */
  async *#writeRows(
    rows: AsyncIterable<Columns>,
    partitionValues: Add['partitionValues'],
    clusteringFields: Pick<Add, 'tags' | 'clusteringProvider'>,
  ): AsyncGenerator<Add> {
    const { clock = systemClock } = this.#options
    const { layout, schema } = this.#rewrite
    const target = {
      store: this.#store,
      layout,
      schema,
      partitionValues,
      parquet: PARQUET,
      dataChange: false,
      clusteringFields,
      clock,
    }
    for await (const { add } of writeDataFiles(rows, target)) yield add
  }

  #giveUp(group: readonly Job[], reason: string): void {
    const files = sum(group, (bin) => bin.files.length)
    const line = `gave up a group of ${files} files: ${reason}`
    this.#total = { ...this.#total, givenUp: [...this.#total.givenUp, line] }
    this.#options.onProgress?.(line)
  }

  /** Deletes new files that no version references. Files that cannot be deleted are left for vacuum. */
  async #drop(adds: readonly Add[]): Promise<void> {
    for (const { path } of adds) {
      await this.#store.delete(decodePath(path)).catch((cause: unknown) => {
        this.#options.onProgress?.(`could not delete ${path}: ${String(cause)}`)
      })
    }
  }
}

async function* rowsOf(
  store: Store,
  rewrite: RewritePlan,
  files: readonly PackingCandidate[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Columns> {
  for (const file of files) {
    signal?.throwIfAborted()
    yield* readFileRows(store, rewrite, file)
  }
}

function clusteringFieldsOf({
  tags,
  clusteringProvider,
}: PackingCandidate): Pick<Add, 'tags' | 'clusteringProvider'> {
  return {
    ...(tags === undefined ? {} : { tags }),
    ...(clusteringProvider === undefined ? {} : { clusteringProvider }),
  }
}

/** Returns a test for files of the requested table partition; values are compared by value, not as text. */
function partitionFilter(
  { partitionColumns }: Layout,
  where: Readonly<Record<string, string>>,
): (add: Add) => boolean {
  const tests = Object.entries(where).map(([name, text]) => {
    const column = partitionColumns.find((candidate) => candidate.name === name)
    if (column === undefined) {
      const names = partitionColumns.map((column) => column.name).join(', ')
      const detail = `${name} does not partition the table; its partition columns are: ${names === '' ? 'none' : names}`
      throw new PipelineError('KD_COMMAND_INVALID', detail)
    }
    const valueOf = (value: string | null): string => String(parsePartitionValue(value, column.type))
    let wanted: string
    try {
      wanted = valueOf(text)
    } catch (cause) {
      const detail = `${JSON.stringify(text)} is not a value of the partition column ${name}`
      throw new PipelineError('KD_COMMAND_INVALID', detail, {}, { cause })
    }
    return (add: Add): boolean => valueOf(add.partitionValues[column.physicalName] ?? null) === wanted
  })
  return (add) => tests.every((holds) => holds(add))
}

/** Groups bins that are committed together. */
function* groupsOf(bins: readonly Job[]): Generator<readonly Job[]> {
  let group: Job[] = []
  let files = 0
  let bytes = 0
  for (const bin of bins) {
    const isFull = files + bin.files.length > GROUP_FILES_MAX || bytes + bin.bytes > GROUP_BYTES_MAX
    if (group.length > 0 && isFull) {
      yield group
      group = []
      files = bytes = 0
    }
    group.push(bin)
    files += bin.files.length
    bytes += bin.bytes
  }
  if (group.length > 0) yield group
}

function optimizeChange(
  group: readonly Job[],
  adds: readonly Add[],
  options: OptimizeOptions & { readonly order: ClusteringOrder | undefined },
  nowMs: number,
): TableChange {
  const files = group.flatMap((bin) => bin.files)
  const inputs = new Set(files.map(({ path }) => path))
  return {
    operation: 'OPTIMIZE',
    operationParameters: parametersOf(options),
    operationMetrics: metricsOf(files, adds),
    isolationLevel: 'SnapshotIsolation',
    actions: [
      ...files.map((file) => removeActionOf(file, nowMs, false)),
      ...adds.map((add): Action => ({ kind: 'add', add })),
    ],
    conflict: (winner) => findMetadataConflict(winner) ?? findFileConflict(winner, inputs),
  }
}

/** Returns the parameters of the run under the names that `DESCRIBE HISTORY` of other engines shows. */
function parametersOf({
  where = {},
  auto,
  order,
}: OptimizeOptions & { readonly order: ClusteringOrder | undefined }): Record<string, string> {
  const predicate = Object.entries(where).map(([name, value]) => `(${name} = '${value}')`)
  const names = JSON.stringify(order?.clustering.columns.map(({ name }) => name) ?? [])
  return {
    predicate: JSON.stringify(predicate),
    zOrderBy: order?.isFromTable === false ? names : '[]',
    clusterBy: order?.isFromTable === true ? names : '[]',
    auto: String(auto ?? false),
    ...(order?.isFromTable === true ? { isFull: 'false' } : {}),
  }
}

/**
 * Returns why a commit of another writer conflicts: it removed one of the files or gave it a deletion vector, so its
 * rows are no longer those that were read.
 */
function findFileConflict(winner: LogCommit, inputs: ReadonlySet<string>): string | undefined {
  for (const action of winner.actions) {
    if (action.kind === 'remove' && inputs.has(action.remove.path)) return `removed ${action.remove.path}`
    if (action.kind === 'add' && inputs.has(action.add.path)) return `changed ${action.add.path}`
  }
  return undefined
}

/** Returns the metrics under the names that `DESCRIBE HISTORY` shows. */
function metricsOf(files: readonly PackingCandidate[], adds: readonly Add[]): Record<string, string> {
  const sizes = adds.map(({ size }) => size).sort((a, b) => a - b)
  const at = (part: number): number => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * part))] ?? 0
  const metrics = {
    numAddedFiles: adds.length,
    numRemovedFiles: files.length,
    numAddedBytes: sum(adds, ({ size }) => size),
    numRemovedBytes: sum(files, ({ size }) => size),
    numDeletionVectorsRemoved: files.filter((file) => file.deletionVector !== undefined).length,
    minFileSize: at(0),
    p25FileSize: at(0.25),
    p50FileSize: at(0.5),
    p75FileSize: at(0.75),
    maxFileSize: at(1),
  }
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, String(value)]))
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
