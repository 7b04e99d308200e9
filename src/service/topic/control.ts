import { filter, firstValueFrom, type Subject } from 'rxjs'
import { PipelineError } from '../../core/errors.ts'
import type { TopicEvent } from './events.ts'
import type { TopicStatus } from './status.ts'
import type { TopicPipeline } from './topic-pipeline.ts'

/** Commands a topic, in whatever phase it is. */
export class TopicControl {
  readonly #topic: string
  readonly #status: TopicStatus
  readonly #events: Subject<TopicEvent>
  readonly #pipeline: () => TopicPipeline | undefined
  readonly #stopping = new AbortController()

  /** Emits what the commands change into `events`; `pipeline` returns the pipeline that runs, if any. */
  constructor(
    topic: string,
    status: TopicStatus,
    events: Subject<TopicEvent>,
    pipeline: () => TopicPipeline | undefined,
  ) {
    this.#topic = topic
    this.#status = status
    this.#events = events
    this.#pipeline = pipeline
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
   * restarts, it waits until the topic runs and has committed what it had read before, unless it is paused.
   * @throws KD_COMMAND_INVALID when the topic has failed, otherwise the error that it fails with meanwhile
   */
  async flush(): Promise<void> {
    if (this.#status.phase === 'failed') throw this.#notRunningError()
    while (await this.#isStarted()) {
      const live = this.#live()
      const endEager = this.#status.isRereading ? live?.credit.flushEagerly() : undefined
      try {
        await live?.flush()
        if (!this.#status.isRereading || this.#status.isPaused) return
        await firstValueFrom(this.#events, { defaultValue: undefined })
      } finally {
        endEager?.()
      }
    }
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
