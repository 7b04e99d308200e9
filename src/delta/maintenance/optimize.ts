import { randomUUID } from 'node:crypto'
import { systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Columns } from '../../arrow/column.ts'
import type { Store } from '../../storage/store.ts'
import type { Action, Add } from '../protocol/actions.ts'
import { type Bin, type Candidate, candidateOf, Packer } from '../rewrite/bin-packing.ts'
import { type Change, type ChangeOptions, commitChange, removalOf, tableChange } from '../commit/change.ts'
import { clusteredParts } from '../rewrite/cluster.ts'
import { cubeMarks, CubePlanner, type Order, orderOf } from '../rewrite/zcubes.ts'
import { liveFiles } from '../log/live-files.ts'
import type { Layout } from '../files/layout.ts'
import { type Maintained, openMaintained } from './maintainable.ts'
import { parsePartitionValue } from '../statistics/partition-values.ts'
import { decodePath } from '../protocol/paths.ts'
import { fileRows, type Rewrite, rewriteOf, writeRows } from '../rewrite/data-file.ts'
import type { Commit } from '../log/state.ts'
import { bytesOfSize } from '../protocol/table-properties.ts'

/** What to optimize, and how. */
export interface OptimizeOptions extends ChangeOptions {
  /** Bytes that a new file aims at; `delta.targetFileSize`, or 128 MiB, where absent. */
  readonly targetBytes?: number | undefined
  /** Partition column → value as text (empty for null); only files of that partition are packed. */
  readonly where?: Readonly<Record<string, string>> | undefined
  /**
   * Columns along whose Z-order curve rows are laid, nested ones dotted; a clustered table is clustered by its own.
   * Files that were laid along it before, and are many enough, stay as they are.
   */
  readonly zorder?: readonly string[] | undefined
  /** The run is a service's own and not a person's, which the history shows. */
  readonly auto?: boolean | undefined
  /** Is told of every group that was committed or given up. */
  readonly onProgress?: (line: string) => void
  /** Aborting it ends the run before the next file is read; what is not committed by then is dropped. */
  readonly signal?: AbortSignal | undefined
}

/** What became of the table. */
export interface Optimized {
  /** Of the last commit; absent where there was nothing to do. */
  readonly version?: bigint
  readonly commits: number
  readonly numAddedFiles: number
  readonly numRemovedFiles: number
  readonly numAddedBytes: number
  readonly numRemovedBytes: number
  /** Groups that lost to another writer and were not made good by a later try, each with its reason. */
  readonly givenUp: readonly string[]
  /** Whether the run was stopped before its end. */
  readonly stopped: boolean
}

const TARGET_BYTES = 128 * 1024 * 1024
/** Times that the table is looked through: the first, and again for what was given up. */
const PASSES_MAX = 3
/** What one commit replaces at most: so much is lost at most when it is given up, and so long a commit may be. */
const GROUP_FILES_MAX = 1_000
const GROUP_BYTES_MAX = 1024 * 1024 * 1024

/**
 * Packs small files of each table partition into files of about the target size, or clusters them, beside live writers:
 * appends are no conflict to it, nor is it to them. Rows that deletion vectors delete are dropped, types are those of the
 * table now; all other rows, their row ids, `txn`s and the table's schema stay; every commit says `dataChange: false`.
 * A group of files of which another writer removed one is given up, and looked at again in the newest version, in
 * `PASSES_MAX` passes at most. One file is read and one written at a time; the names of all files that may be packed are in
 * memory; what clustering needs says `clusteredParts`.
 * Throws `KD_TABLE_UNSUPPORTED` by the feature's name, `KD_TABLE_CORRUPT`, `KD_COMMAND_INVALID` for a column that does
 * not partition the table or that rows cannot be clustered by.
 * Spec: "Add File and Remove File" (`dataChange`), "Append-only Tables", "Clustered Table", "Row Tracking".
 */
export async function optimize(store: Store, options: OptimizeOptions = {}): Promise<Optimized> {
  let total: Optimized = {
    commits: 0,
    numAddedFiles: 0,
    numRemovedFiles: 0,
    numAddedBytes: 0,
    numRemovedBytes: 0,
    givenUp: [],
    stopped: options.signal?.aborted === true,
  }
  for (let pass = 1; pass <= PASSES_MAX && !total.stopped; pass++) {
    const table = await openMaintained(store, 'rewrite')
    const run = new Pass(store, table, options, { ...total, givenUp: [] })
    total = await run.carryOut()
    if (total.givenUp.length === 0) break
  }
  return total
}

/** A bin, and whether it is clustered. */
type Job = Bin & { readonly isCube: boolean }

class Pass {
  readonly #store: Store
  readonly #table: Maintained
  readonly #options: OptimizeOptions
  readonly #rewrite: Rewrite
  readonly #order: Order | undefined
  readonly #targetBytes: number
  #state: Maintained['state']
  #total: Optimized

  constructor(store: Store, table: Maintained, options: OptimizeOptions, total: Optimized) {
    this.#store = store
    this.#table = table
    this.#options = options
    this.#state = table.state
    this.#total = total
    this.#rewrite = rewriteOf(table.shape)
    this.#order = orderOf(table.state, table.metadata, this.#rewrite.layout, options.zorder ?? [])
    const ofTable = bytesOfSize(table.metadata.configuration['delta.targetFileSize'])
    this.#targetBytes = options.targetBytes ?? ofTable ?? TARGET_BYTES
  }

  async carryOut(): Promise<Optimized> {
    const jobs = await this.#plan()
    let done = 0
    for (const group of groupsOf(jobs)) {
      await this.#commit(group)
      if (this.#options.signal?.aborted === true) return { ...this.#total, stopped: true }
      done += group.length
      this.#options.onProgress?.(`${done} of ${jobs.length} groups of files`)
      // Another schema or protocol makes every further group wrong as well.
      if (this.#state.metadata !== this.#table.state.metadata) break
      if (this.#state.protocol !== this.#table.state.protocol) break
    }
    return this.#total
  }

  async #plan(): Promise<readonly Job[]> {
    const wanted = partitionFilter(this.#rewrite.layout, this.#options.where ?? {})
    const packer = new Packer(this.#targetBytes)
    const planner = this.#order === undefined ? undefined : new CubePlanner(this.#order, this.#targetBytes)
    const bins: Bin[] = []
    for await (const file of liveFiles(this.#store, this.#table.segment)) {
      if (file.kind !== 'add' || !wanted(file.add)) continue
      const candidate = candidateOf(file.add)
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
      // Vacuumed since another writer removed it: as if it had been removed now.
      if (!(error instanceof PipelineError) || error.code !== 'KD_STORE_NOT_FOUND') throw error
      this.#giveUp(group, `a file is gone: ${error.message}`)
      return
    }
    const change = optimizeChange(group, adds, { ...this.#options, order: this.#order }, clock.now())
    const outcome = await commitChange(this.#store, this.#state, change, this.#options)
    this.#state = outcome.state
    if (outcome.kind === 'conflict') {
      await this.#drop(adds)
      this.#giveUp(group, `version ${outcome.version}: ${outcome.reason}`)
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

  /** Writes the files that take the place of those of a job. */
  async *#write({ files, bytes, isCube }: Job): AsyncGenerator<Add> {
    const { clock = systemClock, signal } = this.#options
    const [store, rewrite] = [this.#store, this.#rewrite]
    const [first] = files
    const partitionValues = first?.partitionValues ?? {}
    const nowMs = clock.now()
    if (!isCube || this.#order === undefined) {
      // A file that is written anew alone keeps its place in a cube.
      const marks = files.length === 1 && first !== undefined ? marksOf(first) : {}
      const add = await writeRows(store, rewrite, rowsOf(store, rewrite, files, signal), {
        partitionValues,
        nowMs,
        marks,
      })
      if (add !== undefined) yield add
      return
    }
    const { clustering } = this.#order
    const marks = cubeMarks(this.#order, randomUUID())
    const outputs = Math.max(1, Math.round(bytes / this.#targetBytes))
    for await (const rows of clusteredParts(store, rewrite, files, { clustering, outputs, signal })) {
      const add = await writeRows(store, rewrite, rows, { partitionValues, nowMs, marks })
      if (add !== undefined) yield add
    }
  }

  #giveUp(group: readonly Job[], reason: string): void {
    const files = sum(group, (bin) => bin.files.length)
    const line = `gave up a group of ${files} files: ${reason}`
    this.#total = { ...this.#total, givenUp: [...this.#total.givenUp, line] }
    this.#options.onProgress?.(line)
  }

  /** New files that no version will ever name. Where even that fails, vacuum finds them. */
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
  rewrite: Rewrite,
  files: readonly Candidate[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Columns> {
  for (const file of files) {
    signal?.throwIfAborted()
    yield* fileRows(store, rewrite, file)
  }
}

function marksOf({ tags, clusteringProvider }: Candidate): Pick<Add, 'tags' | 'clusteringProvider'> {
  return {
    ...(tags === undefined ? {} : { tags }),
    ...(clusteringProvider === undefined ? {} : { clusteringProvider }),
  }
}

/** Whether a file lies in the partition asked for; values are compared as values, not as texts. */
function partitionFilter(
  { partitionColumns }: Layout,
  where: Readonly<Record<string, string>>,
): (add: Add) => boolean {
  const tests = Object.entries(where).map(([name, text]) => {
    const column = partitionColumns.find((one) => one.name === name)
    if (column === undefined) {
      const known = partitionColumns.map((one) => one.name).join(', ')
      const detail = `${name} does not partition the table; its partition columns are: ${known === '' ? 'none' : known}`
      throw new PipelineError('KD_COMMAND_INVALID', detail)
    }
    const valueOf = (value: string | null): string => String(parsePartitionValue(value, column.type))
    let wanted: string
    try {
      wanted = valueOf(text)
    } catch (cause) {
      const detail = `${JSON.stringify(text)} is no value of the partition column ${name}`
      throw new PipelineError('KD_COMMAND_INVALID', detail, {}, { cause })
    }
    return (add: Add): boolean => valueOf(add.partitionValues[column.physicalName] ?? null) === wanted
  })
  return (add) => tests.every((holds) => holds(add))
}

/** Bins that are committed together. */
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
  options: OptimizeOptions & { readonly order: Order | undefined },
  nowMs: number,
): Change {
  const files = group.flatMap((bin) => bin.files)
  const inputs = new Set(files.map(({ path }) => path))
  return {
    operation: 'OPTIMIZE',
    operationParameters: parametersOf(options),
    operationMetrics: metricsOf(files, adds),
    isolationLevel: 'SnapshotIsolation',
    actions: [
      ...files.map((file) => removalOf(file, nowMs, false)),
      ...adds.map((add): Action => ({ kind: 'add', add })),
    ],
    conflict: (winner) => tableChange(winner) ?? touches(winner, inputs),
  }
}

/** What was asked for, in the words that `DESCRIBE HISTORY` of other engines shows. */
function parametersOf({
  where = {},
  auto,
  order,
}: OptimizeOptions & { readonly order: Order | undefined }): Record<string, string> {
  const predicate = Object.entries(where).map(([name, value]) => `(${name} = '${value}')`)
  const names = JSON.stringify(order?.clustering.columns.map(({ name }) => name) ?? [])
  return {
    predicate: JSON.stringify(predicate),
    zOrderBy: order?.isTables === false ? names : '[]',
    clusterBy: order?.isTables === true ? names : '[]',
    auto: String(auto ?? false),
    ...(order?.isTables === true ? { isFull: 'false' } : {}),
  }
}

/** A winner that removed one of the files, or gave it a deletion vector: its rows are no longer those that were read. */
function touches(winner: Commit, inputs: ReadonlySet<string>): string | undefined {
  for (const action of winner.actions) {
    if (action.kind === 'remove' && inputs.has(action.remove.path)) return `it removed ${action.remove.path}`
    if (action.kind === 'add' && inputs.has(action.add.path)) return `it changed ${action.add.path}`
  }
  return undefined
}

/** The metrics under the names that `DESCRIBE HISTORY` knows them by. */
function metricsOf(files: readonly Candidate[], adds: readonly Add[]): Record<string, string> {
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
