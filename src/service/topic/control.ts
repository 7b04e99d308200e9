import { filter, firstValueFrom, merge, timer, type Subject } from 'rxjs'
import { PipelineError } from '../../core/errors.ts'
import type { TopicEvent } from './events.ts'
import type { TopicStatus } from './status.ts'
import type { TopicPipeline } from './topic-pipeline.ts'

/** Longest pause before a flush looks again for records that were read before a restart, in milliseconds. */
const LOOK_MS = 100

/** Commands a topic, in whatever phase it is. */
export class TopicControl {
  readonly #topic: string
  readonly #status: TopicStatus
  readonly #events: Subject<TopicEvent>
  readonly #pipeline: () => TopicPipeline | undefined
  readonly #restart: () => void
  readonly #stopping = new AbortController()

  /** Emits what the commands change into `events`; `pipeline` returns the pipeline that runs, if any; `restart` starts the topic. */
  constructor(
    topic: string,
    status: TopicStatus,
    events: Subject<TopicEvent>,
    pipeline: () => TopicPipeline | undefined,
    restart: () => void,
  ) {
    this.#topic = topic
    this.#status = status
    this.#events = events
    this.#pipeline = pipeline
    this.#restart = restart
  }

  /** Aborted once the topic is to stop. */
  get stopSignal(): AbortSignal {
    return this.#stopping.signal
  }

  /**
   * Stops reading until `resume`; the partitions stay assigned to this process, and records already read continue to the
   * table.
   */
  pause(): void {
    if (!this.#status.isPaused) this.#events.next({ kind: 'paused' })
    this.#live()?.credit.pause()
  }

  /** Resumes reading after `pause`. */
  resume(): void {
    if (this.#status.isPaused) this.#events.next({ kind: 'resumed' })
    this.#live()?.credit.resume()
  }

  /**
   * Flushes what is buffered and resolves when it is committed, at once when nothing is buffered. While the topic opens or
   * restarts, it waits until the topic runs and has committed what it had read before. Resolves to the reason if the table
   * does not hold everything that was read and waiting does not help: the topic is paused, or has ended first.
   * @throws KD_COMMAND_INVALID when the topic has failed, otherwise the error that it fails with meanwhile
   */
  async flush(): Promise<string | undefined> {
    if (this.#status.phase === 'failed') throw this.#notRunningError()
    while (await this.#isStarted()) {
      const live = this.#live()
      const endEager = this.#status.isRereading ? live?.credit.flushEagerly() : undefined
      try {
        await live?.flush()
        if (this.#status.isPaused && this.#status.hasUnstored)
          return 'it is paused, and records that were read before are not in the table: resume it first'
        if (!this.#status.isRereading) return undefined
        // A batch that arrives during a flush stays in the buffer without an event.
        await firstValueFrom(merge(this.#events, timer(LOOK_MS)))
      } finally {
        endEager?.()
      }
    }
    return this.#status.isRereading
      ? 'it has ended before the records that were read were in the table: they are read again after the next start'
      : undefined
  }

  /**
   * Compacts the table's small files now, after other maintenance that is queued in the process.
   * @throws KD_COMMAND_INVALID when the topic does not run or has no table yet, otherwise the error of the optimize run
   */
  async optimize(): Promise<void> {
    if (this.#status.phase !== 'running') throw this.#notRunningError()
    const pipeline = this.#pipeline()
    if (pipeline === undefined) {
      const detail = `${this.#topic} has no table yet: its columns are inferred from the first messages`
      throw new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.#topic })
    }
    await pipeline.maintenance.optimize()
  }

  /**
   * Starts the topic at once, with as many attempts as at the beginning, after it has failed or while it waits for its
   * restart. It resumes from its table.
   * @throws KD_COMMAND_INVALID in every other phase, and when the topic is to stop
   */
  restart(): void {
    const { phase } = this.#status
    if (this.#stopping.signal.aborted || (phase !== 'failed' && phase !== 'restarting')) {
      const state = this.#stopping.signal.aborted ? 'stopping' : phase
      const detail = `expected a topic that has failed or is restarting, ${this.#topic} is ${state}`
      throw new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.#topic })
    }
    this.#restart()
  }

  /** Stops reading; everything read is flushed and committed. */
  stop(): void {
    this.#stopping.abort()
    this.#live()?.stop()
  }

  #live(): TopicPipeline | undefined {
    return this.#status.phase === 'running' ? this.#pipeline() : undefined
  }

  /**
   * Resolves to true once the topic runs, and to false when it has ended.
   * @throws the error that the topic failed with
   */
  async #isStarted(): Promise<boolean> {
    const isStarting = (): boolean => ['opening', 'restarting'].includes(this.#status.phase)
    if (isStarting())
      await firstValueFrom(this.#events.pipe(filter(() => !isStarting())), { defaultValue: undefined })
    if (this.#status.phase === 'failed') throw this.#status.failure?.error
    return this.#status.phase === 'running'
  }

  #notRunningError(): PipelineError {
    const detail = `expected a running topic, ${this.#topic} is ${this.#status.phase}`
    return new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.#topic })
  }
}
