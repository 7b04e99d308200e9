import { invariant } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import { SerialQueue } from '../../core/serial-queue.ts'
import type { Store } from '../../storage/store.ts'
import type { Metadata, Protocol, Txn } from '../protocol/actions.ts'
import { type CheckpointResult, CheckpointScheduler } from './checkpoint-scheduler.ts'
import { ChecksumWriter } from './checksum-writer.ts'
import { columnMappingOf } from '../schema/column-mapping.ts'
import { commitAppends } from './append.ts'
import { COMMIT_ATTEMPTS_MAX, type CommitOptions } from './commit.ts'
import { findFencedAppIds } from './conflicts.ts'
import { findLogSegment, listLog, requireCommit } from '../log/log-segment.ts'
import { checkReadable } from '../protocol/protocol.ts'
import { checkAppendable } from '../constraints/append-support.ts'
import { findExpiredTxns } from '../log/txn-retention.ts'
import { loadState, parseMetadata } from '../log/snapshot.ts'
import { applyActions, hasSameProtocolAndMetadata, type TableState } from '../log/state.ts'
import { checkSameTable, isReplacedTableError } from './same-table.ts'
import type { Append, CommitOutcome, TableWriter } from './table-writer.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** Configures a table writer; every option has a default. */
export interface TableWriterOptions {
  readonly clock?: Clock
  /** Random number in [0, 1), for jitter; `Math.random` by default. */
  readonly random?: () => number
  /** Maximum of puts for one append; 100 by default. */
  readonly attemptsMax?: number
  /** Receives harmless failures, such as a checkpoint that could not be written. */
  readonly onWarning?: (warning: PipelineError) => void
  /** Receives the result of each checkpoint that became due. */
  readonly onCheckpoint?: (outcome: CheckpointResult, durationMs: number) => void
}

/**
 * A state older than this is refreshed by a listing before a put, because log cleanup may have removed versions after
 * it.
 */
const STATE_AGE_MS_MAX = 300_000

/** Maximum of appends in one commit. */
const GROUP_APPENDS_MAX = 32

const CHANGED: CommitOutcome = { kind: 'changed', attempts: 0, conflicts: 0 }

/**
 * Opens a table for appends.
 * @throws KD_TABLE_MISSING, KD_TABLE_CORRUPT
 * @throws KD_TABLE_UNSUPPORTED with the name of a feature under which appends are not supported
 */
export async function openTableWriter(store: Store, options: TableWriterOptions = {}): Promise<TableWriter> {
  const state = await loadState(store, await findLogSegment(store))
  return new LogWriter(store, state, shapeOf(state), options)
}

/** A lookup of a `txn` with the promise of its caller. */
interface PendingLookup {
  readonly appId: string
  readonly resolve: (version: bigint | undefined) => void
  readonly reject: (error: unknown) => void
}

/** An append with the promise of its caller. */
interface PendingAppend {
  readonly append: Append
  readonly resolve: (outcome: CommitOutcome) => void
  readonly reject: (error: unknown) => void
}

class LogWriter implements TableWriter {
  readonly uri: string
  readonly #options: CommitOptions
  readonly #checksums: ChecksumWriter
  readonly #checkpoints: CheckpointScheduler
  readonly #opened: TableShape
  #shape: { readonly of: TableState; readonly shape: TableShape }
  #state: TableState
  #stateAtMs: number
  /** Set once the table was deleted or replaced; the writer is of no use from then on. */
  #replaced: PipelineError | undefined
  readonly #queue = new SerialQueue()
  /** Bounded by the flushes in progress in the process. */
  readonly #waiting: PendingAppend[] = []
  /** Bounded by the Kafka partitions that are assigned to the process. */
  #lookups: PendingLookup[] = []
  /** The next reading of the log, which has not begun. */
  #read: Promise<TableState> | undefined

  constructor(store: Store, state: TableState, shape: TableShape, options: TableWriterOptions) {
    this.uri = store.uri
    this.#options = {
      store,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      attemptsMax: options.attemptsMax ?? COMMIT_ATTEMPTS_MAX,
    }
    const onWarning = options.onWarning ?? (() => undefined)
    this.#checksums = new ChecksumWriter(store, onWarning)
    this.#checkpoints = new CheckpointScheduler(store, this.#options.clock, onWarning, options.onCheckpoint)
    this.#opened = shape
    this.#shape = { of: state, shape }
    this.#state = state
    this.#stateAtMs = this.#options.clock.now()
  }

  get version(): bigint {
    return this.#state.version
  }

  get shape(): TableShape {
    const state = this.#state
    // Clustering does not invalidate files: it only selects the columns with statistics in new files.
    const isSame =
      hasSameProtocolAndMetadata(this.#shape.of, state) &&
      clusteringOf(this.#shape.of) === clusteringOf(state)
    if (!isSame) this.#shape = { of: state, shape: shapeOf(state) }
    return this.#shape.shape
  }

  get metadata(): Metadata {
    return this.shape.metadata
  }

  get protocol(): Protocol {
    return this.shape.protocol
  }

  get schema(): StructType {
    return this.shape.metadata.schema
  }

  txn(appId: string): Promise<bigint | undefined> {
    return new Promise((resolve, reject) => {
      this.#lookups.push({ appId, resolve, reject })
      // The lookup has its own error.
      this.#readNewest().catch(() => undefined)
    })
  }

  knownTxn(appId: string): bigint | undefined {
    return this.#state.txns.get(appId)?.version
  }

  async txns(): Promise<ReadonlyMap<string, Txn>> {
    return (await this.#readNewest()).txns
  }

  get isReplaced(): boolean {
    return this.#replaced !== undefined
  }

  async findFenced(txns: Append['txns']): Promise<readonly string[]> {
    return findFencedAppIds(await this.#readNewest(), txns)
  }

  append(append: Append): Promise<CommitOutcome> {
    const appIds = new Set(append.txns.map(({ appId }) => appId))
    invariant(appIds.size === append.txns.length, 'two txns of one appId in one commit')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ append, resolve, reject })
      void this.#queue.run(() => this.#commitWaiting())
    })
  }

  async idle(): Promise<void> {
    await this.#queue.idle()
    await Promise.all([this.#checkpoints.idle(), this.#checksums.idle()])
  }

  /** Reads the commits of other writers. All calls that wait share one listing of the log, which starts after them. */
  #readNewest(): Promise<TableState> {
    return (this.#read ??= this.#queue.run(async () => {
      this.#read = undefined
      const lookups = this.#lookups
      this.#lookups = []
      try {
        await this.#refresh()
        await this.#answer(lookups)
      } catch (error) {
        for (const { reject } of lookups) reject(error)
        throw error
      }
      return this.#state
    }))
  }

  async #answer(lookups: readonly PendingLookup[]): Promise<void> {
    const state = this.#state
    const absent = lookups.filter(({ appId }) => !state.txns.has(appId)).map(({ appId }) => appId)
    const expired = await findExpiredTxns(this.#options.store, state, new Set(absent))
    for (const { appId, resolve, reject } of lookups) {
      const error = expired.get(appId)
      if (error === undefined) resolve(state.txns.get(appId)?.version)
      else reject(error)
    }
  }

  /**
   * Commits the oldest waiting append and those that may share its version. Settles their promises and never throws.
   */
  async #commitWaiting(): Promise<void> {
    const group = this.#nextGroup()
    // An earlier group included it.
    if (group.length === 0) return
    try {
      const { clock } = this.#options
      if (clock.now() - this.#stateAtMs > STATE_AGE_MS_MAX) await this.#refresh()
      const appends = group.map(({ append }) => append)
      const { state, results } = hasSameProtocolAndMetadata(
        appends[0]?.baseSnapshot ?? this.#opened,
        this.#state,
      )
        ? await this.#ofSameTable(() => commitAppends(this.#options, this.#state, appends))
        : { state: this.#state, results: appends.map(() => CHANGED) }
      this.#state = state
      this.#stateAtMs = clock.now()
      group.forEach(({ resolve, reject }, index) => {
        const result = results[index] as CommitOutcome | PipelineError
        if (result instanceof PipelineError) reject(result)
        else resolve(result)
      })
      const committed = results.find((result) => 'kind' in result && result.kind === 'committed')
      if (committed?.kind === 'committed') {
        // If other commits followed ours, the state is already theirs.
        if (committed.version === state.version) this.#checksums.onCommit(state)
        this.#checkpoints.onCommit(state)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /**
   * Takes the next group of waiting appends. An append that changes the table is committed alone, and an appId occurs
   * once per version.
   */
  #nextGroup(): readonly PendingAppend[] {
    const group: PendingAppend[] = []
    const appIds = new Set<string>()
    const [first] = this.#waiting
    for (const request of this.#waiting) {
      const { append } = request
      const isAlone = append.change !== undefined || first?.append.change !== undefined
      const hasSameBase = hasSameProtocolAndMetadata(
        append.baseSnapshot ?? this.#opened,
        first?.append.baseSnapshot ?? this.#opened,
      )
      if (group.length > 0 && (isAlone || !hasSameBase || append.txns.some(({ appId }) => appIds.has(appId))))
        break
      group.push(request)
      for (const { appId } of append.txns) appIds.add(appId)
      if (group.length >= GROUP_APPENDS_MAX) break
    }
    this.#waiting.splice(0, group.length)
    return group
  }

  /** Reads the commits of other writers by a listing, which also shows whether versions after ours were cleaned up. */
  async #refresh(): Promise<void> {
    const startedMs = this.#options.clock.now()
    this.#state = await this.#ofSameTable(() => readNewest(this.#options.store, this.#state))
    this.#stateAtMs = startedMs
  }

  /** Runs work on the table, and none once it was deleted or replaced. */
  async #ofSameTable<T>(work: () => Promise<T>): Promise<T> {
    if (this.#replaced !== undefined) throw this.#replaced
    try {
      return await work()
    } catch (error) {
      if (isReplacedTableError(error)) this.#replaced = error
      throw error
    }
  }
}

/**
 * Reads the commits of other writers after `known`.
 * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
 */
async function readNewest(store: Store, known: TableState): Promise<TableState> {
  let state = known
  const [versions] = await Promise.all([
    listVersionsAfter(store, known.version),
    checkSameTable(store, known),
  ])
  if (versions.length === 0) return known
  if (versions.every((version, index) => version === known.version + 1n + BigInt(index))) {
    for (const version of versions) {
      const { actions, head } = await requireCommit(store, version)
      state = applyActions(state, version, actions, head)
    }
  } else {
    state = await loadState(store, await findLogSegment(store))
  }
  // While they were read, another table may have taken the place of this one.
  await checkSameTable(store, known)
  return state
}

async function listVersionsAfter(store: Store, version: bigint): Promise<readonly bigint[]> {
  const versions: bigint[] = []
  for await (const file of listLog(store, version + 1n)) {
    if (file.kind === 'commit') versions.push(file.version)
  }
  return versions
}

/**
 * Returns the shape of a table that can be appended to.
 * @throws KD_TABLE_CORRUPT
 * @throws KD_TABLE_UNSUPPORTED with the name of a feature
 */
function shapeOf(state: TableState): TableShape {
  checkReadable(state.protocol, state.metadata)
  const metadata = parseMetadata(state.metadata)
  checkAppendable(state.protocol, metadata)
  // An invalid mapping fails here rather than at the first flush.
  columnMappingOf(state.protocol, metadata)
  const clustering = clusteringOf(state)
  return { protocol: state.protocol, metadata, ...(clustering === undefined ? {} : { clustering }) }
}

function clusteringOf({ domains }: TableState): string | undefined {
  return domains.get('delta.clustering')?.configuration
}
