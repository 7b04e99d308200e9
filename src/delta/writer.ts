import { invariant } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { StructType } from '../core/schema.ts'
import type { Store } from '../storage/store.ts'
import type { Metadata, Protocol } from './actions.ts'
import { checkpointInterval, checkpointObstacle, writeCheckpoint } from './checkpoint-write.ts'
import { commitAppend, type CommitParts } from './commit.ts'
import { staleAppIds } from './conflicts.ts'
import { ENGINE_INFO } from './engine.ts'
import { findSegment, listLog, needCommit } from './log.ts'
import { checkAppendable, checkReadable } from './protocol.ts'
import { neverSeen } from './retention.ts'
import { loadState, readableMetadata } from './snapshot.ts'
import { applyActions, sameTable, type TableState } from './state.ts'
import type { Append, CommitOutcome, TableWriter } from './table.ts'

/** How a writer behaves; every option has a default. */
export interface WriterOptions {
  readonly clock?: Clock
  /** In [0, 1), for jitter; `Math.random` by default. */
  readonly random?: () => number
  /** Puts that one append tries at most; 100 by default. */
  readonly attemptsMax?: number
  /** Is told what failed without harm: a checkpoint that could not be written. */
  readonly onWarning?: (warning: PipelineError) => void
}

const ATTEMPTS_MAX = 100

/** A state older than this is refreshed by a listing before a put: log clean-up may have taken versions after it away. */
const STATE_AGE_MS_MAX = 300_000

/**
 * Opens a table for appends. Throws `KD_TABLE_MISSING`, `KD_TABLE_CORRUPT`, and `KD_TABLE_UNSUPPORTED` by the feature's
 * name for a table to which this service cannot append rightly.
 */
export async function openTableWriter(store: Store, options: WriterOptions = {}): Promise<TableWriter> {
  const state = await loadState(store, await findSegment(store))
  checkReadable(state.protocol, state.metadata)
  const metadata = readableMetadata(state.metadata)
  checkAppendable(state.protocol, metadata)
  return new LogWriter(store, state, metadata, options)
}

class LogWriter implements TableWriter {
  readonly uri: string
  readonly metadata: Metadata
  readonly protocol: Protocol
  readonly schema: StructType
  readonly #parts: CommitParts
  readonly #onWarning: (warning: PipelineError) => void
  /** What the files of this writer are made for. */
  readonly #opened: TableState
  #state: TableState
  #stateAtMs: number
  #checkpointDue = false
  #queue: Promise<unknown> = Promise.resolve()

  constructor(store: Store, state: TableState, metadata: Metadata, options: WriterOptions) {
    this.uri = store.uri
    this.metadata = metadata
    this.protocol = state.protocol
    this.schema = metadata.schema
    this.#parts = {
      store,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
      engineInfo: ENGINE_INFO,
    }
    this.#onWarning = options.onWarning ?? (() => undefined)
    this.#opened = state
    const obstacle = checkpointObstacle(metadata.configuration)
    if (obstacle !== undefined) this.#onWarning(this.#checkpointWarning(obstacle))
    this.#state = state
    this.#stateAtMs = this.#parts.clock.now()
  }

  get version(): bigint {
    return this.#state.version
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
    return this.#inOrder(() => this.#append(append))
  }

  async #append(append: Append): Promise<CommitOutcome> {
    const { clock } = this.#parts
    if (clock.now() - this.#stateAtMs > STATE_AGE_MS_MAX) await this.#refresh()
    this.#refuseOtherTable()
    const { state, result } = await commitAppend(this.#parts, this.#state, append)
    this.#state = state
    this.#stateAtMs = clock.now()
    if (result instanceof PipelineError) throw result
    if (result.kind === 'committed') await this.#checkpoint(result.version)
    return result
  }

  /** Never fails the commit; what failed is tried again after the next one. Spec: "Checkpoints". */
  async #checkpoint(version: bigint): Promise<void> {
    if (checkpointObstacle(this.metadata.configuration) !== undefined) return
    const interval = checkpointInterval(this.#state.metadata.configuration)
    if (!this.#checkpointDue && version % interval !== 0n) return
    this.#checkpointDue = true
    try {
      await writeCheckpoint(this.#parts.store, version, {
        nowMs: this.#parts.clock.now(),
        known: this.#state,
      })
      this.#checkpointDue = false
    } catch (cause) {
      this.#onWarning(this.#checkpointWarning(messageOf(cause), version, cause))
    }
  }

  #checkpointWarning(detail: string, version?: bigint, cause?: unknown): PipelineError {
    return new PipelineError('KD_CHECKPOINT_FAILED', detail, { table: this.uri, version }, { cause })
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

  /** Files made for one schema must never be added to a table with another. */
  #refuseOtherTable(): void {
    if (sameTable(this.#opened, this.#state)) return
    throw new PipelineError('KD_COMMIT_CONFLICT', 'metadata or protocol changed since the table was opened', {
      table: this.uri,
      version: this.#state.version,
    })
  }

  #inOrder<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run)
    // The caller has the rejection; the queue only waits for its end.
    this.#queue = result.catch(() => undefined)
    return result
  }
}
