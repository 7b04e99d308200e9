import type { Subscriber, Subscription } from 'rxjs'
import type { PipelineCommit } from '../../operators/commit-offsets.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import type { Config } from '../../config/types.ts'
import type { Budget } from '../core/credit/budget.ts'
import { customErrorOf } from '../core/errors.ts'
import { SerialQueue } from '../core/serial-queue.ts'
import type { DeadLetterOptions, DeadLetterTopic } from '../kafka/dead-letters/dead-letters.ts'
import { Circuits } from '../resilience/circuit-registry.ts'
import { budgetOf } from '../service/supervision/process-memory.ts'
import { TablePool } from '../service/table/table-pool.ts'
import { createTablePool } from '../service/table/target.ts'
import { openStore } from '../storage/open/open.ts'
import { createEventLog } from '../service/topic/event-log.ts'
import { KAFKA_CONNECTORS, openTopic, type TopicConnectors } from '../service/topic/topic.ts'
import type { TopicPipeline } from '../service/topic/topic-pipeline.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { chainConfigOf, type ChainConfig } from './chain-config.ts'
import type { KafkaToDeltaOptions } from './chain-options.ts'
import { borrowedSink, borrowedStore, withoutUnreadable } from './custom-parts.ts'

/** Returns the log of a chain: its own, or warnings and errors on stderr. */
function logOf({ log }: Pick<KafkaToDeltaOptions<object>, 'log'>): Logger {
  return log ?? (logOfProcess ??= createLogger({ level: 'warn' }))
}

/** Describes a chain among others of the same topic. */
export interface ChainParts {
  readonly connectors?: TopicConnectors
  /** False if another chain stores the records that no chain can read; default true. */
  readonly storesUnreadable?: boolean
}

/** Carries a topic into its table for one subscription: opens everything, and closes it however the subscription ends. */
export class ChainRun {
  readonly #options: KafkaToDeltaOptions<object>
  readonly #operators: readonly RowOperator<never, object>[]
  readonly #subscriber: Subscriber<PipelineCommit>
  readonly #parts: ChainParts
  readonly #log: Logger
  /** Aborted when nothing may wait any more for a server that does not answer. */
  readonly #waits = new AbortController()
  #pipeline: TopicPipeline | undefined
  #commits: Subscription | undefined

  constructor(
    options: KafkaToDeltaOptions<object>,
    operators: readonly RowOperator<never, object>[],
    subscriber: Subscriber<PipelineCommit>,
    parts: ChainParts,
  ) {
    this.#options = options
    this.#operators = operators
    this.#subscriber = subscriber
    this.#parts = parts
    this.#log = logOf(options)
  }

  /** Runs the chain to its end. Completes or errors the subscriber once everything is closed; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#options
    if (this.#isStopped()) {
      this.#subscriber.complete()
      return
    }
    const stop = (): void => this.#stop()
    signal?.addEventListener('abort', stop, { once: true })
    let outcome: { readonly error: unknown } | undefined
    try {
      await this.#carry()
    } catch (error) {
      // Before the table is open nothing was read, so that a stop loses nothing.
      if (!this.#isStopped() || this.#pipeline !== undefined) outcome = { error }
    }
    signal?.removeEventListener('abort', stop)
    await this.#close()
    if (outcome === undefined) this.#subscriber.complete()
    else this.#subscriber.error(customErrorOf(outcome.error, 'custom code', { topic: this.#options.topic }))
  }

  /** Ends the chain without committing what it holds; the table has the offsets that the next subscription continues from. */
  abandon(): void {
    this.#waits.abort()
    this.#commits?.unsubscribe()
  }

  async #carry(): Promise<void> {
    const chain = chainConfigOf(this.#options)
    const pipeline = await this.#open(chain)
    this.#pipeline = pipeline
    if (this.#subscriber.closed) return
    if (this.#isStopped()) pipeline.stop()
    await new Promise<void>((resolve, reject) => {
      this.#commits = pipeline.commits.subscribe({
        next: (commit) => this.#subscriber.next(commit),
        error: reject,
        complete: resolve,
      })
      this.#commits.add(resolve)
    })
  }

  #open(chain: ChainConfig): Promise<TopicPipeline> {
    const { config, topic, deadLetters } = chain
    const { until = 'stopped', enrichments, format, budget = sharedBudget(config) } = this.#options
    const circuits = this.#options.circuits ?? new Circuits(config.circuit, { signal: this.#waits.signal })
    const { connectors = KAFKA_CONNECTORS, storesUnreadable = true } = this.#parts
    const openLetters = (of: DeadLetterOptions): DeadLetterTopic =>
      deadLetters === undefined ? connectors.deadLetters(of) : borrowedSink(deadLetters, topic.topic)
    const services = {
      config,
      until,
      log: this.#log,
      connectors: {
        ...connectors,
        deadLetters: storesUnreadable
          ? openLetters
          : (of: DeadLetterOptions) => withoutUnreadable(openLetters(of)),
      },
      budget,
      maintenanceQueue: new SerialQueue(),
      tables: tablesOf(chain, circuits),
    }
    const log = this.#log.child({ topic: topic.topic })
    return openTopic(topic, services, createEventLog(log), {
      extensions: { format, rows: this.#operators, enrichments },
    })
  }

  #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  #stop(): void {
    const pipeline = this.#pipeline
    if (pipeline === undefined) this.#waits.abort()
    // An operator may call this while a batch passes through it, which would then come after the end.
    else queueMicrotask(() => pipeline.stop())
  }

  async #close(): Promise<void> {
    try {
      await this.#pipeline?.close()
    } catch (error) {
      this.#log.warn({ topic: this.#options.topic, err: error }, 'The chain could not be closed cleanly')
    }
  }
}

/** Returns the pool of the tables of a chain, with the store that the user's program has opened, if any. */
function tablesOf({ config, topic, store }: ChainConfig, circuits: Circuits): TablePool {
  if (store === undefined) return createTablePool(config, circuits)
  const { uri: own } = topic.table
  return new TablePool(async (uri, retryPolicy) => {
    if (uri === own) return borrowedStore(store)
    return await openStore(uri, {
      ...config.storage,
      circuits,
      ...(retryPolicy === undefined ? {} : { retryPolicy }),
    })
  }, circuits)
}

let logOfProcess: Logger | undefined
let budgetOfProcess: Budget | undefined

/** Returns the budget that the chains of the process share, as the topics of a service do. */
function sharedBudget(config: Config): Budget {
  return (budgetOfProcess ??= budgetOf(config))
}
