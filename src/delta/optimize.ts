import { systemClock } from '../core/clock.ts'
import { PipelineError } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import type { Action, Add, Metadata } from './actions.ts'
import { type Bin, type Candidate, Packer } from './bins.ts'
import { type Change, type ChangeOptions, commitChange, tableChange } from './change.ts'
import { liveFiles } from './files.ts'
import { type Maintained, openMaintained } from './maintainable.ts'
import { parsePartitionValue } from './partition-values.ts'
import { decodePath } from './paths.ts'
import { writeBin } from './rewrite.ts'
import { recordsOf } from './stats.ts'
import type { Commit } from './state.ts'
import { bytesOfSize } from './table-properties.ts'

/** What to optimize, and how. */
export interface OptimizeOptions extends ChangeOptions {
  /** Bytes that a new file aims at; `delta.targetFileSize`, or 128 MiB, where absent. */
  readonly targetBytes?: number | undefined
  /** Partition column → value as text (empty for null); only files of that partition are packed. */
  readonly where?: Readonly<Record<string, string>> | undefined
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
 * Packs small files of each table partition into files of about the target size, beside live writers: appends are no
 * conflict to it, nor is it to them. Rows, `txn`s and the table's schema stay; every commit says `dataChange: false`.
 * A group of files of which another writer removed one is given up, and looked at again in the newest version, in
 * `PASSES_MAX` passes at most. One file is read and one written at a time; the names of all small files are in memory.
 * Throws `KD_TABLE_UNSUPPORTED` by the feature's name, `KD_TABLE_CORRUPT`, `KD_COMMAND_INVALID` for a column that does
 * not partition the table. Spec: "Add File and Remove File" (`dataChange`), "Append-only Tables".
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

class Pass {
  readonly #store: Store
  readonly #table: Maintained
  readonly #options: OptimizeOptions
  #state: Maintained['state']
  #total: Optimized

  constructor(store: Store, table: Maintained, options: OptimizeOptions, total: Optimized) {
    this.#store = store
    this.#table = table
    this.#options = options
    this.#state = table.state
    this.#total = total
  }

  async carryOut(): Promise<Optimized> {
    const bins = await plan(this.#store, this.#table, this.#options)
    let done = 0
    for (const group of groupsOf(bins)) {
      await this.#commit(group)
      if (this.#options.signal?.aborted === true) return { ...this.#total, stopped: true }
      done += group.length
      this.#options.onProgress?.(`${done} of ${bins.length} new files`)
      // Another schema or protocol makes every further group wrong as well.
      if (this.#state.metadata !== this.#table.state.metadata) break
      if (this.#state.protocol !== this.#table.state.protocol) break
    }
    return this.#total
  }

  async #commit(group: readonly Bin[]): Promise<void> {
    const { clock = systemClock, signal } = this.#options
    const adds: Add[] = []
    try {
      for (const bin of group) {
        const add = await writeBin(this.#store, this.#table.metadata, bin, clock.now(), signal)
        if (add !== undefined) adds.push(add)
      }
    } catch (error) {
      await this.#drop(adds)
      if (signal?.aborted === true) return
      // Vacuumed since another writer removed it: as if it had been removed now.
      if (!(error instanceof PipelineError) || error.code !== 'KD_STORE_NOT_FOUND') throw error
      this.#giveUp(group, `a file is gone: ${error.message}`)
      return
    }
    const change = optimizeChange(group, adds, this.#options, clock.now())
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
      numRemovedBytes: total.numRemovedBytes + sum(group, ({ bytes }) => bytes),
    }
  }

  #giveUp(group: readonly Bin[], reason: string): void {
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

async function plan(store: Store, table: Maintained, options: OptimizeOptions): Promise<readonly Bin[]> {
  const { configuration } = table.metadata
  const ofTable = bytesOfSize(configuration['delta.targetFileSize'])
  const packer = new Packer(options.targetBytes ?? ofTable ?? TARGET_BYTES)
  const wanted = partitionFilter(table.metadata, options.where ?? {})
  const bins: Bin[] = []
  for await (const file of liveFiles(store, table.segment)) {
    if (file.kind !== 'add' || !wanted(file.add)) continue
    const { path, partitionValues, size, stats } = file.add
    const rows = recordsOf(stats)
    const candidate: Candidate = { path, partitionValues, size, ...(rows === undefined ? {} : { rows }) }
    const bin = packer.add(candidate)
    if (bin !== undefined) bins.push(bin)
  }
  return [...bins, ...packer.rest()]
}

/** Whether a file lies in the partition asked for; values are compared as values, not as texts. */
function partitionFilter(
  { schema, partitionColumns }: Metadata,
  where: Readonly<Record<string, string>>,
): (add: Add) => boolean {
  const tests = Object.entries(where).map(([name, text]) => {
    const type = schema.fields.find((field) => field.name === name)?.type
    if (type === undefined || !partitionColumns.includes(name)) {
      const known = partitionColumns.length === 0 ? 'none' : partitionColumns.join(', ')
      const detail = `${name} does not partition the table; its partition columns are: ${known}`
      throw new PipelineError('KD_COMMAND_INVALID', detail)
    }
    const valueOf = (value: string | null): string => String(parsePartitionValue(value, type))
    let wanted: string
    try {
      wanted = valueOf(text)
    } catch (cause) {
      const detail = `${JSON.stringify(text)} is no value of the partition column ${name}`
      throw new PipelineError('KD_COMMAND_INVALID', detail, {}, { cause })
    }
    return (add: Add): boolean => valueOf(add.partitionValues[name] ?? null) === wanted
  })
  return (add) => tests.every((holds) => holds(add))
}

/** Bins that are committed together. */
function* groupsOf(bins: readonly Bin[]): Generator<readonly Bin[]> {
  let group: Bin[] = []
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
  group: readonly Bin[],
  adds: readonly Add[],
  options: OptimizeOptions,
  nowMs: number,
): Change {
  const files = group.flatMap((bin) => bin.files)
  const inputs = new Set(files.map(({ path }) => path))
  const where = Object.entries(options.where ?? {}).map(([name, value]) => `(${name} = '${value}')`)
  const removes = files.map(({ path, partitionValues, size }): Action => ({
    kind: 'remove',
    remove: {
      path,
      deletionTimestamp: nowMs,
      dataChange: false,
      extendedFileMetadata: true,
      partitionValues,
      size,
    },
  }))
  return {
    operation: 'OPTIMIZE',
    operationParameters: { predicate: JSON.stringify(where), zOrderBy: '[]', clusterBy: '[]', auto: 'false' },
    operationMetrics: metricsOf(group, adds),
    isolationLevel: 'SnapshotIsolation',
    actions: [...removes, ...adds.map((add): Action => ({ kind: 'add', add }))],
    conflict: (winner) => tableChange(winner) ?? touches(winner, inputs),
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
function metricsOf(group: readonly Bin[], adds: readonly Add[]): Record<string, string> {
  const sizes = adds.map(({ size }) => size).sort((a, b) => a - b)
  const at = (part: number): number => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * part))] ?? 0
  const metrics = {
    numAddedFiles: adds.length,
    numRemovedFiles: sum(group, ({ files }) => files.length),
    numAddedBytes: sum(adds, ({ size }) => size),
    numRemovedBytes: sum(group, ({ bytes }) => bytes),
    numDeletionVectorsRemoved: 0,
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
