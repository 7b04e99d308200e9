import { lastValueFrom, type Observable } from 'rxjs'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { Closers } from '../../core/lifecycle/closers.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { KafkaSource } from '../../kafka/source/source-options.ts'
import type { TableMaintenance } from '../table/maintenance.ts'
import type { FlushTracker } from './flush-tracker.ts'
import type { GroupOffsets } from './group-offsets.ts'

/** Holds what an open topic is made of. */
interface TopicPipelineOptions {
  readonly source: KafkaSource
  readonly credit: Credit
  readonly flushes: FlushTracker
  readonly groupOffsets: GroupOffsets
  readonly maintenance: TableMaintenance
  /** Returns the last offset of a partition that the table held at the last look, if it held one. */
  readonly storedOffset: (partition: number) => bigint | undefined
  /** Carries the batches of the source into the table while it is subscribed to. */
  readonly commits: Observable<PipelineCommit>
  /** Closes the source, the table and everything else that was opened for the topic. */
  readonly closers: Closers
}

/** Carries one topic into its open table, once: from the first batch to its end, a failure or a stop. */
export class TopicPipeline {
  readonly source: KafkaSource
  readonly credit: Credit
  readonly flushes: FlushTracker
  readonly groupOffsets: GroupOffsets
  readonly maintenance: TableMaintenance
  readonly storedOffset: (partition: number) => bigint | undefined
  /** Carries the batches of the source into the table while it is subscribed to; subscribe once, or call `run`. */
  readonly commits: Observable<PipelineCommit>
  readonly #closers: Closers
  #ended: Promise<unknown> = Promise.resolve()

  constructor(options: TopicPipelineOptions) {
    this.source = options.source
    this.credit = options.credit
    this.flushes = options.flushes
    this.groupOffsets = options.groupOffsets
    this.maintenance = options.maintenance
    this.storedOffset = options.storedOffset
    this.commits = options.commits
    this.#closers = options.closers
  }

  /**
   * Reads until the topic has caught up or is stopped; call it once.
   * @throws the first failure that retries inside the pipeline cannot fix
   */
  async run(): Promise<void> {
    this.#ended = lastValueFrom(this.commits, { defaultValue: undefined })
    await this.#ended
  }

  /**
   * Resolves when everything buffered or in flight at the time of the call is committed.
   * @throws the error that the pipeline failed with
   */
  async flush(): Promise<void> {
    const flushed = this.credit.flush()
    // Flushes that a failure or a stop leaves behind are never settled.
    await Promise.race([flushed, this.#ended.then(() => undefined)])
  }

  /** Stops reading; everything read is flushed and committed. */
  stop(): void {
    this.source.stop()
    void this.maintenance.stop()
  }

  /**
   * Leaves the consumer group and releases all resources; call it after `run` has ended.
   * @throws the first error of what is closed; everything is closed whatever fails
   */
  close(): Promise<void> {
    return this.#closers.close()
  }
}
