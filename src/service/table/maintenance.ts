import type { OptimizeConfig, VacuumConfig } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { SerialQueue } from '../../core/serial-queue.ts'
import { cleanUpLog } from '../../delta/maintenance/log-cleanup.ts'
import { optimizeTable } from '../../delta/maintenance/optimize.ts'
import { vacuumTable } from '../../delta/maintenance/vacuum.ts'
import type { Store } from '../../storage/store.ts'
import type { Logger } from '../../telemetry/log.ts'

/** Describes the maintenance of one table. */
interface MaintenanceOptions {
  readonly store: Store
  readonly policy: {
    readonly checkpointInterval: number
    /** With `external` no task runs by policy, only on request; default `service`. */
    readonly maintenance?: 'service' | 'external'
    readonly optimize: OptimizeConfig
    readonly vacuum: VacuumConfig
  }
  /** The present version of the table. */
  readonly version: bigint
  /** Checks that the table is still the one that is written. @throws KD_TABLE_REPLACED */
  readonly checkTable?: () => Promise<unknown>
  /** Decides whether this process maintains the table, among all processes that write it for one topic. */
  readonly isOurTurn: () => boolean
  /** Runs the tasks of all tables of the process one after the other. */
  readonly queue: SerialQueue
  readonly log: Logger
  readonly clock?: Clock
  /** Called when a run has ended without being stopped. */
  readonly onRun?: ((run: MaintenanceRun) => void) | undefined
}

/** Describes a finished maintenance run. */
export interface MaintenanceRun {
  readonly task: MaintenanceTask
  readonly outcome: 'done' | 'failed'
  readonly ms: number
}

/** Maintains one table while it is being written. */
export interface TableMaintenance {
  /** Records a commit of this process. Returns at once; due tasks run in the background. */
  onCommit(version: bigint): void
  /**
   * Compacts small files as soon as the queue allows; joins a run that is queued or running.
   * @throws the error of the run
   */
  optimize(): Promise<void>
  /** Ends a running task before its next file and resolves once it has ended. No task starts afterwards. */
  stop(): Promise<void>
}

/** Holds what a run threw. */
interface RunFailure {
  readonly reason: unknown
}

/** Names the tasks: compaction of small files, deletion of unreferenced files, deletion of expired log files. */
export type MaintenanceTask = 'optimize' | 'vacuum' | 'clean'

/**
 * Minimum pause between log cleanups. They run after checkpoints, but log retention is truncated to whole days, so
 * more frequent runs find nothing.
 */
const CLEAN_INTERVAL_MS = 3_600_000
/** Log files that one run deletes at most. */
const CLEAN_FILES_MAX = 10_000

/** Timers accept at most 2^31 − 1 ms. */
const SLEEP_MS_MAX = 86_400_000
/**
 * The first timed run comes after this fraction of the interval, so that a process that restarts often still gets its
 * runs, while their number per interval stays bounded.
 */
const FIRST_RUN_FRACTION = 10

/**
 * Starts the maintenance of a table by policy: compaction, vacuum and log cleanup, in the background of ingestion.
 *
 * 1. Ingestion never waits: maintenance holds no lock and does not use the table's writer. A maintenance commit that
 * conflicts is dropped or tried again, and one that succeeds is no conflict for an append.
 * 2. Among the processes that write one topic into the table, the one that holds partition 0 does the maintenance: a
 * group assigns a partition to one member at a time, and every topic has a partition 0. This divides the work and is
 * no lock: during a rebalance, or when two topics write one table, two runs may overlap; one of them loses by the
 * rules of the log and leaves no trace. No lock service is needed.
 * 3. A task by commits is due whenever the table's version passes a multiple of `everyCommits`, no matter who wrote the
 * versions in between, so that restarts and other workers do not shift it.
 * 4. A failed run is logged as a warning and tried again when it is next due.
 */
export function startTableMaintenance(options: MaintenanceOptions): TableMaintenance {
  return new PolicyMaintenance(options)
}

class PolicyMaintenance implements TableMaintenance {
  readonly #options: MaintenanceOptions
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  /** Tasks that are queued or running; a task in here is not queued again. */
  readonly #due = new Map<MaintenanceTask, Promise<RunFailure | undefined>>()
  readonly #running = new Set<Promise<unknown>>()
  #version: bigint
  #cleanedMs = -Infinity

  constructor(options: MaintenanceOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#version = options.version
    this.#every('optimize', options.policy.optimize.everyMs)
    this.#every('vacuum', options.policy.vacuum.everyMs)
  }

  onCommit(version: bigint): void {
    const { optimize: optimizing, checkpointInterval } = this.#options.policy
    const before = this.#version
    if (version > before) this.#version = version
    const passes = (every: number | undefined): boolean =>
      every !== undefined && version / BigInt(every) > before / BigInt(every)
    if (passes(optimizing.everyCommits)) this.#queueIfDue('optimize')
    if (this.#options.policy.maintenance === 'external') return
    if (passes(checkpointInterval) && this.#clock.now() - this.#cleanedMs >= CLEAN_INTERVAL_MS)
      this.#queueIfDue('clean')
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async optimize(): Promise<void> {
    const failure = await this.#queue('optimize', () => true)
    if (failure !== undefined) throw failure.reason
    // A stopped run did not finish what the caller asked for.
    if (this.#isStopped())
      throw new PipelineError('KD_COMMAND_INVALID', 'expected a running topic, it is stopping', {
        table: this.#options.store.uri,
      })
  }

  #queueIfDue(task: MaintenanceTask): void {
    if (this.#isStopped() || this.#due.has(task) || !this.#options.isOurTurn()) return
    void this.#queue(task, this.#options.isOurTurn)
  }

  /** Queues the task and resolves to its failure, if any; joins a run that is queued or running. */
  #queue(task: MaintenanceTask, mayRun: () => boolean): Promise<RunFailure | undefined> {
    const due = this.#due.get(task)
    if (due !== undefined) return due
    const run = this.#options.queue
      .run(() => this.#run(task, mayRun))
      .finally(() => {
        this.#due.delete(task)
        this.#running.delete(run)
      })
    this.#due.set(task, run)
    this.#running.add(run)
    return run
  }

  /** Runs the task. Never rejects. */
  async #run(task: MaintenanceTask, mayRun: () => boolean): Promise<RunFailure | undefined> {
    const { log, onRun } = this.#options
    // The queue may have waited long for other tables.
    if (this.#isStopped() || !mayRun()) return undefined
    const startedMs = this.#clock.now()
    try {
      await this.#options.checkTable?.()
      const counts = await this.#work(task)
      const ms = this.#clock.now() - startedMs
      if (counts !== undefined) log.info({ ...counts, ms }, DONE[task])
      onRun?.({ task, outcome: 'done', ms })
      return undefined
    } catch (thrown) {
      if (this.#isStopped()) return undefined
      const code = thrown instanceof PipelineError ? thrown.code : undefined
      log.warn(
        { code, err: thrown },
        `${FAILED[task]}; it is tried again when next due: ${messageOf(thrown)}`,
      )
      onRun?.({ task, outcome: 'failed', ms: this.#clock.now() - startedMs })
      return { reason: thrown }
    }
  }

  #work(task: MaintenanceTask): Promise<object | undefined> {
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
    const { clock, signal } = this.#runOptions()
    const done = await cleanUpLog(this.#options.store, { clock, signal, filesMax: CLEAN_FILES_MAX })
    if (done.checkpoint === undefined) return undefined
    return { ...done, checkpoint: String(done.checkpoint) }
  }

  async #optimize(): Promise<object> {
    const { store, policy } = this.#options
    const { targetBytes, zorder } = policy.optimize
    const done = await optimizeTable(store, { targetBytes, zorder, auto: true, ...this.#runOptions() })
    // A run that packed nothing although there was something to pack has failed.
    const [reason] = done.givenUp
    if (reason !== undefined && done.commits === 0)
      throw new PipelineError('KD_COMMIT_CONFLICT', `no small files were compacted: ${reason}`, {
        table: store.uri,
        givenUp: done.givenUp.length,
      })
    return { ...done, version: done.version === undefined ? null : String(done.version) }
  }

  async #vacuum(): Promise<object> {
    const { store, policy } = this.#options
    const { retentionHours } = policy.vacuum
    return await vacuumTable(store, { retentionHours, dryRun: false, ...this.#runOptions() })
  }

  #runOptions(): { clock: Clock; signal: AbortSignal; onWarning: (warning: PipelineError) => void } {
    const { log } = this.#options
    return {
      clock: this.#clock,
      signal: this.#stopping.signal,
      onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
    }
  }

  #every(task: MaintenanceTask, everyMs: number | undefined): void {
    if (everyMs === undefined) return
    const loop = this.#repeat(task, everyMs).finally(() => this.#running.delete(loop))
    this.#running.add(loop)
  }

  /** Queues the task periodically; resolves once stopped. */
  async #repeat(task: MaintenanceTask, everyMs: number): Promise<void> {
    const { signal } = this.#stopping
    let dueMs = this.#clock.now() + everyMs / FIRST_RUN_FRACTION
    while (!this.#isStopped()) {
      const waitMs = Math.min(Math.max(dueMs - this.#clock.now(), 0), SLEEP_MS_MAX)
      // An abort ends the sleep, and the loop condition then ends the loop.
      await this.#clock.sleep(waitMs, signal).catch(() => undefined)
      if (this.#isStopped() || this.#clock.now() < dueMs) continue
      this.#queueIfDue(task)
      dueMs = this.#clock.now() + everyMs
    }
  }
}

const DONE: Readonly<Record<MaintenanceTask, string>> = {
  optimize: 'Table optimized',
  vacuum: 'Table vacuumed',
  clean: 'Expired log files deleted',
}
const FAILED: Readonly<Record<MaintenanceTask, string>> = {
  optimize: 'Could not optimize the table',
  vacuum: 'Could not vacuum the table',
  clean: 'Could not delete expired log files',
}
