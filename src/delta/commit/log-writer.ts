import { invariant } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import { type CheckpointEnd, Checkpoints } from './checkpoint-scheduler.ts'
import { Checksums } from './checksum-writer.ts'
import { columnMapping } from '../schema/column-mapping.ts'
import { ATTEMPTS_MAX, commitAppends, type CommitParts } from './commit.ts'
import { staleAppIds } from './conflicts.ts'
import { findSegment, listLog, needCommit } from '../log/log-segment.ts'
import { checkReadable } from '../protocol/protocol.ts'
import { checkAppendable } from '../constraints/appendable.ts'
import { neverSeen } from '../log/txn-retention.ts'
import { loadState, readableMetadata } from '../log/snapshot.ts'
import { applyActions, sameTable, type TableState } from '../log/state.ts'
import type { Append, CommitOutcome, TableWriter } from './table-writer.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** How a writer behaves; every option has a default. */
export interface WriterOptions {
  readonly clock?: Clock
  /** In [0, 1), for jitter; `Math.random` by default. */
  readonly random?: () => number
  /** Puts that one append tries at most; 100 by default. */
  readonly attemptsMax?: number
  /** Is told what failed without harm: a checkpoint that could not be written. */
  readonly onWarning?: (warning: PipelineError) => void
  /** Is told of each checkpoint that a commit made due. */
  readonly onCheckpoint?: (outcome: CheckpointEnd) => void
}

/** A state older than this is refreshed by a listing before a put: log clean-up may have taken versions after it away. */
const STATE_AGE_MS_MAX = 300_000

/** Appends that one commit carries at most. */
const GROUP_APPENDS_MAX = 32

const CHANGED: CommitOutcome = { kind: 'changed', attempts: 0, conflicts: 0 }

/**
 * Opens a table for appends. Throws `KD_TABLE_MISSING`, `KD_TABLE_CORRUPT`, and `KD_TABLE_UNSUPPORTED` by the feature's
 * name for a table to which this service cannot append rightly.
 */
export async function openTableWriter(store: Store, options: WriterOptions = {}): Promise<TableWriter> {
  const state = await loadState(store, await findSegment(store))
  return new LogWriter(store, state, shapeOf(state), options)
}

/** An append and whoever waits for its end. */
interface Request {
  readonly append: Append
  readonly resolve: (outcome: CommitOutcome) => void
  readonly reject: (error: unknown) => void
}

class LogWriter implements TableWriter {
  readonly uri: string
  readonly #parts: CommitParts
  readonly #checksums: Checksums
  readonly #checkpoints: Checkpoints
  readonly #opened: TableShape
  #shape: { readonly of: TableState; readonly shape: TableShape }
  #state: TableState
  #stateAtMs: number
  #queue: Promise<unknown> = Promise.resolve()
  /** Bounded by the flushes that are on their way in the process. */
  readonly #waiting: Request[] = []

  constructor(store: Store, state: TableState, shape: TableShape, options: WriterOptions) {
    this.uri = store.uri
    this.#parts = {
      store,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
    }
    const onWarning = options.onWarning ?? (() => undefined)
    this.#checksums = new Checksums(store, onWarning)
    this.#checkpoints = new Checkpoints(store, this.#parts.clock, onWarning, options.onCheckpoint)
    this.#opened = shape
    this.#shape = { of: state, shape }
    this.#state = state
    this.#stateAtMs = this.#parts.clock.now()
  }

  get version(): bigint {
    return this.#state.version
  }

  get shape(): TableShape {
    const state = this.#state
    // How the table is clustered is no reason to make files again: it only says which statistics new ones have.
    const isSame = sameTable(this.#shape.of, state) && clusteringOf(this.#shape.of) === clusteringOf(state)
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
    return this.#inOrder(async () => {
      await this.#refresh()
      const version = this.#state.txns.get(appId)?.version
      if (version === undefined) await neverSeen(this.#parts.store, this.#state, appId)
      return version
    })
  }

  stale(txns: Append['txns']): Promise<readonly string[]> {
    return this.#inOrder(async () => {
      await this.#refresh()
      return staleAppIds(this.#state, txns)
    })
  }

  append(append: Append): Promise<CommitOutcome> {
    const appIds = new Set(append.txns.map(({ appId }) => appId))
    invariant(appIds.size === append.txns.length, 'two txns of one appId in one commit')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ append, resolve, reject })
      void this.#inOrder(() => this.#commitWaiting())
    })
  }

  async idle(): Promise<void> {
    await this.#queue
    await Promise.all([this.#checkpoints.idle(), this.#checksums.idle()])
  }

  /** Commits the append that waits longest and those that may share its version. Tells them their ends and never throws. */
  async #commitWaiting(): Promise<void> {
    const group = this.#nextGroup()
    // An earlier turn carried it.
    if (group.length === 0) return
    try {
      const { clock } = this.#parts
      if (clock.now() - this.#stateAtMs > STATE_AGE_MS_MAX) await this.#refresh()
      const appends = group.map(({ append }) => append)
      const { state, results } = sameTable(appends[0]?.basis ?? this.#opened, this.#state)
        ? await commitAppends(this.#parts, this.#state, appends)
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
        // Where others came after ours, the state is theirs already.
        if (committed.version === state.version) this.#checksums.committed(state)
        this.#checkpoints.committed(state)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /** What changes the table goes alone, and an appId comes once in a version. */
  #nextGroup(): readonly Request[] {
    const group: Request[] = []
    const appIds = new Set<string>()
    const [first] = this.#waiting
    for (const request of this.#waiting) {
      const { append } = request
      const alone = append.change !== undefined || first?.append.change !== undefined
      const sameBasis = sameTable(append.basis ?? this.#opened, first?.append.basis ?? this.#opened)
      if (group.length > 0 && (alone || !sameBasis || append.txns.some(({ appId }) => appIds.has(appId))))
        break
      group.push(request)
      for (const { appId } of append.txns) appIds.add(appId)
      if (group.length >= GROUP_APPENDS_MAX) break
    }
    this.#waiting.splice(0, group.length)
    return group
  }

  /** Takes up what other writers committed; by a listing, which also shows when versions after ours were cleaned up. */
  async #refresh(): Promise<void> {
    const { store, clock } = this.#parts
    const startedMs = clock.now()
    let state = this.#state
    const versions: bigint[] = []
    for await (const file of listLog(store, state.version + 1n)) {
      if (file.kind === 'commit') versions.push(file.version)
    }
    if (versions.every((version, index) => version === state.version + 1n + BigInt(index))) {
      for (const version of versions) {
        state = applyActions(state, version, (await needCommit(store, version)).actions)
      }
    } else {
      state = await loadState(store, await findSegment(store))
    }
    this.#state = state
    this.#stateAtMs = startedMs
  }

  #inOrder<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run)
    // The caller has the rejection; the queue only waits for its end.
    this.#queue = result.catch(() => undefined)
    return result
  }
}

/** Throws `KD_TABLE_CORRUPT`, and `KD_TABLE_UNSUPPORTED` by the name of a feature. */
function shapeOf(state: TableState): TableShape {
  checkReadable(state.protocol, state.metadata)
  const metadata = readableMetadata(state.metadata)
  checkAppendable(state.protocol, metadata)
  // A mapping that cannot be followed is found here, and not by the first flush.
  columnMapping(state.protocol, metadata)
  const clustering = clusteringOf(state)
  return { protocol: state.protocol, metadata, ...(clustering === undefined ? {} : { clustering }) }
}

function clusteringOf({ domains }: TableState): string | undefined {
  return domains.get('delta.clustering')?.configuration
}
