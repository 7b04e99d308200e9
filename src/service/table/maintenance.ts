import type { OptimizeConfig, VacuumConfig } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Lane } from '../../core/serial-queue.ts'
import { cleanUpLog } from '../../delta/maintenance/log-cleanup.ts'
import { optimize } from '../../delta/maintenance/optimize.ts'
import { vacuum } from '../../delta/maintenance/vacuum.ts'
import type { Store } from '../../storage/store.ts'
import type { Logger } from '../../telemetry/log.ts'

/** What a table's upkeep needs of its surroundings. */
export interface MaintenanceParts {
  readonly store: Store
  readonly policy: {
    readonly checkpointInterval: number
    /** With `external` nothing has a turn; what is asked for by hand is done. `service` where absent. */
    readonly maintenance?: 'service' | 'external'
    readonly optimize: OptimizeConfig
    readonly vacuum: VacuumConfig
  }
  /** The table's version now. */
  readonly version: bigint
  /** Whether it is this process, of all that write the table for one topic, whose turn it is. */
  readonly isOurs: () => boolean
  /** Shared by all tables of the process. */
  readonly lane: Lane
  readonly log: Logger
  readonly clock?: Clock
  /** Told of every run that has ended by itself. */
  readonly onRun?: ((run: MaintenanceRun) => void) | undefined
}

/** A run of a table's upkeep that has ended. */
export interface MaintenanceRun {
  readonly task: MaintenanceTask
  readonly outcome: 'done' | 'failed'
  readonly ms: number
}

/** The upkeep of one table beside its ingestion. */
export interface Maintenance {
  /** Takes note of a commit of ours. Returns at once; what is due begins beside the next flushes. */
  committed(version: bigint): void
  /** Packs small files now, once its turn has come; one that waits or runs already is joined. Throws what it failed with. */
  optimize(): Promise<void>
  /** Ends a run that is on its way before its next file; resolves once it has ended. No run begins after it. */
  stop(): Promise<void>
}

/** What a run threw. */
interface Failure {
  readonly reason: unknown
}

/** What is done: small files are packed, dead ones deleted, the log is cleaned up. */
export type MaintenanceTask = 'optimize' | 'vacuum' | 'clean'

type Task = MaintenanceTask

/** The log is cleaned up after a checkpoint, but no more often: what has expired changes at midnight alone. */
const CLEAN_PAUSE_MS = 3_600_000
/** Files of the log that one run deletes. */
const CLEAN_FILES_MAX = 10_000

/** Timers of a runtime hold no more than 2^31 − 1 ms. */
const SLEEP_MS_MAX = 86_400_000
/**
 * The first turn by time comes after this part of the pause, so that a process that is stopped and started all the time has
 * its turns too, yet at most so many in one pause.
 */
const FIRST_PART = 10

/**
 * Packs and vacuums a table by policy, beside the ingestion and never in its way: no code here holds a lock or the
 * table's writer, a commit of it that loses is given up or tried again, and one that wins is no conflict to an append.
 *
 * Of the processes that carry one topic into the table, the one that holds partition 0 has the turn, since a group gives a
 * partition to one member at a time and every topic has a partition 0. That is a division of work, not a lock: while a group
 * rebalances, or where two topics feed one table, two runs may meet, of which one loses by the rules of the log and leaves no
 * trace. So no lock service is needed.
 *
 * A turn by versions comes whenever the table's version passes a multiple of `everyCommits`, whoever wrote the versions
 * between, so that restarts and other workers move no turn. What fails is a warning, and tried again at the next turn.
 */
export function startMaintenance(parts: MaintenanceParts): Maintenance {
  return new Upkeep(parts)
}

class Upkeep implements Maintenance {
  readonly #parts: MaintenanceParts
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  /** Tasks that wait for their turn or run now: a further turn of one of these is skipped. */
  readonly #due = new Map<Task, Promise<Failure | undefined>>()
  readonly #running = new Set<Promise<unknown>>()
  #version: bigint
  #cleanedMs = -Infinity

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#version = parts.version
    this.#every('optimize', parts.policy.optimize.everyMs)
    this.#every('vacuum', parts.policy.vacuum.everyMs)
  }

  committed(version: bigint): void {
    const { optimize: optimizing, checkpointInterval } = this.#parts.policy
    const before = this.#version
    if (version > before) this.#version = version
    const passes = (every: number | undefined): boolean =>
      every !== undefined && version / BigInt(every) > before / BigInt(every)
    if (passes(optimizing.everyCommits)) this.#want('optimize')
    if (this.#parts.policy.maintenance === 'external') return
    if (passes(checkpointInterval) && this.#clock.now() - this.#cleanedMs >= CLEAN_PAUSE_MS)
      this.#want('clean')
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async optimize(): Promise<void> {
    const failure = await this.#begin('optimize', () => true)
    if (failure !== undefined) throw failure.reason
    // What was asked for is not done then, or not to its end.
    if (this.#isStopped())
      throw new PipelineError('KD_COMMAND_INVALID', 'expected a topic that runs, it is stopping', {
        table: this.#parts.store.uri,
      })
  }

  #want(task: Task): void {
    if (this.#isStopped() || this.#due.has(task) || !this.#parts.isOurs()) return
    void this.#begin(task, this.#parts.isOurs)
  }

  /** Resolves with what the run failed with; one that is due already is joined. */
  #begin(task: Task, mayRun: () => boolean): Promise<Failure | undefined> {
    const due = this.#due.get(task)
    if (due !== undefined) return due
    const run = this.#parts.lane
      .run(() => this.#carryOut(task, mayRun))
      .finally(() => {
        this.#due.delete(task)
        this.#running.delete(run)
      })
    this.#due.set(task, run)
    this.#running.add(run)
    return run
  }

  /** Never rejects. */
  async #carryOut(task: Task, mayRun: () => boolean): Promise<Failure | undefined> {
    const { log, onRun } = this.#parts
    // The wait for other tables may have been long.
    if (this.#isStopped() || !mayRun()) return undefined
    const startedMs = this.#clock.now()
    try {
      const counts = await this.#work(task)
      const ms = this.#clock.now() - startedMs
      if (counts !== undefined) log.info({ ...counts, ms }, DONE[task])
      onRun?.({ task, outcome: 'done', ms })
      return undefined
    } catch (thrown) {
      if (this.#isStopped()) return undefined
      const code = thrown instanceof PipelineError ? thrown.code : undefined
      log.warn({ code, err: thrown }, `${FAILED[task]}, tried again at the next turn: ${messageOf(thrown)}`)
      onRun?.({ task, outcome: 'failed', ms: this.#clock.now() - startedMs })
      return { reason: thrown }
    }
  }

  #work(task: Task): Promise<object | undefined> {
    switch (task) {
      case 'optimize':
        return this.#optimize()
      case 'vacuum':
        return this.#vacuum()
      case 'clean':
        return this.#clean()
    }
  }

  async #clean(): Promise<object | undefined> {
    this.#cleanedMs = this.#clock.now()
    const { clock, signal } = this.#options()
    const done = await cleanUpLog(this.#parts.store, { clock, signal, filesMax: CLEAN_FILES_MAX })
    if (done.checkpoint === undefined) return undefined
    return { ...done, checkpoint: String(done.checkpoint) }
  }

  async #optimize(): Promise<object> {
    const { store, policy } = this.#parts
    const { targetBytes, zorder } = policy.optimize
    const done = await optimize(store, { targetBytes, zorder, auto: true, ...this.#options() })
    return { ...done, version: done.version === undefined ? null : String(done.version) }
  }

  async #vacuum(): Promise<object> {
    const { store, policy } = this.#parts
    const { retentionHours } = policy.vacuum
    return await vacuum(store, { retentionHours, dryRun: false, ...this.#options() })
  }

  #options(): { clock: Clock; signal: AbortSignal; onWarning: (warning: PipelineError) => void } {
    const { log } = this.#parts
    return {
      clock: this.#clock,
      signal: this.#stopping.signal,
      onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
    }
  }

  #every(task: Task, everyMs: number | undefined): void {
    if (everyMs === undefined) return
    const turns = this.#turns(task, everyMs).finally(() => this.#running.delete(turns))
    this.#running.add(turns)
  }

  /** Resolves once stopped. */
  async #turns(task: Task, everyMs: number): Promise<void> {
    const { signal } = this.#stopping
    let dueMs = this.#clock.now() + everyMs / FIRST_PART
    while (!this.#isStopped()) {
      const waitMs = Math.min(Math.max(dueMs - this.#clock.now(), 0), SLEEP_MS_MAX)
      // An abort ends the wait, and with it the loop.
      await this.#clock.sleep(waitMs, signal).catch(() => undefined)
      if (this.#isStopped() || this.#clock.now() < dueMs) continue
      this.#want(task)
      dueMs = this.#clock.now() + everyMs
    }
  }
}

const DONE: Readonly<Record<Task, string>> = {
  optimize: 'Optimized',
  vacuum: 'Vacuumed',
  clean: 'Log cleaned up',
}
const FAILED: Readonly<Record<Task, string>> = {
  optimize: 'Could not optimize the table',
  vacuum: 'Could not vacuum the table',
  clean: 'Could not clean up the log',
}
