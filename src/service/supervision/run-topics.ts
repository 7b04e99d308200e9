import type { Meter } from '@opentelemetry/api'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { Config } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Budget } from '../../core/credit/budget.ts'
import { SerialQueue } from '../../core/serial-queue.ts'
import { Circuits } from '../../resilience/circuit-registry.ts'
import { Retries, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../../resilience/retries.ts'
import { listTopics } from '../../kafka/client/admin.ts'
import { checkTopicsMax, discoverTopics, reportInvalidTopics, type NamedTopic } from './discover.ts'
import { openTopicWithInference } from '../inference/inferred-topic.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import type { OperatorsInput } from '../operators/define.ts'
import { checkCodeNames, makeTopicCode } from '../operators/topic-code.ts'
import { budgetOf } from './process-memory.ts'
import { OpeningSlots } from './opening-slots.ts'
import { TopicSet } from './topic-set.ts'
import type { TopicSummary } from '../topic/summary.ts'
import { SupervisedTopic } from './supervised-topic.ts'
import { createTablePool } from '../table/target.ts'
import type { TablePool } from '../table/table-pool.ts'
import { KAFKA_CONNECTORS, type TopicConnectors, type TopicServices } from '../topic/topic.ts'
import type { TopicRun } from '../topic/topic-run.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Threads } from '../../threads/threads.ts'
import { watchTopics } from './watch-topics.ts'
import { openWorkerThreads } from './worker-threads.ts'

/** Describes how topics run. */
export interface RunOptions {
  readonly until: 'stopped' | 'latest'
  readonly log: Logger
  /** Connects to Kafka by default. */
  readonly connectors?: TopicConnectors
  /** Queue for table maintenance; the process has its own by default. */
  readonly maintenanceQueue?: SerialQueue
  /** Pool in which topics of the same table share it; the process has its own by default. */
  readonly tables?: TablePool
  /** Byte budget shared by the topics; by default a share of the memory, or `budget.bytes`. */
  readonly budget?: Budget
  /** Called once with each topic before it starts, also with topics that patterns discover later. */
  readonly observe?: (topic: TopicRun) => void
  /** Aborting it stops reading; everything read is still flushed and committed. */
  readonly signal?: AbortSignal
  /** Called with each commit of every topic. */
  readonly onCommit?: (commit: PipelineCommit, topic: TopicRun) => void
  /**
   * Called once, before any table is open, with all topics that run. Topics that patterns discover later are added to
   * the array, deleted topics are removed, failed topics stay.
   */
  readonly onOpen?: (topics: readonly TopicRun[]) => void
  /** Called once, when reading stops in all topics for any reason; everything read is still committed. */
  readonly onStopping?: () => void
  /** Lists the topics of the cluster for patterns; asks the brokers by default. */
  readonly topicNames?: () => Promise<readonly string[]>
  readonly clock?: Clock
  /** Code for the rows of topics by the name of their entry; it takes the place of the option `operators`. */
  readonly operators?: Readonly<Record<string, OperatorsInput>>
  /** Makes the metrics of operators; the global meter by default. */
  readonly meter?: Meter
  /** Circuits of the servers that topics depend on; the process has its own by default. */
  readonly circuits?: Circuits
  /** Starts the worker threads; by default as many as the configuration says. */
  readonly openThreads?: typeof openWorkerThreads
}

/**
 * Carries all topics of a configuration into their tables until they have caught up (`until: 'latest'`) or `signal`
 * is aborted. Resolves to the summaries, by the name of the topic.
 *
 * - Each topic opens independently of the others.
 * - A topic that fails with a retryable error is restarted; one that fails permanently leaves the others running or
 *   stops them after they have committed what they hold, according to `onFailure`.
 * - With `until: 'stopped'` patterns are matched periodically: topics start when they appear and stop when they are
 *   deleted.
 *
 * @throws the error of the first topic that failed permanently, once all topics have stopped
 */
export async function runTopics(
  config: Config,
  options: RunOptions,
): Promise<Readonly<Record<string, TopicSummary>>> {
  const { openThreads = openWorkerThreads, log, operators = {} } = options
  checkCodeNames(operators, config)
  // Without threads nothing is waited for, so that a caller sees its topics at once.
  const threads = config.workers === 0 ? undefined : await openThreads(config, log)
  const run = (): Promise<Readonly<Record<string, TopicSummary>>> => runTopicsWith(threads, config, options)
  return await runThenCleanUp(run, async () => threads?.close())
}

async function runTopicsWith(
  threads: Threads | undefined,
  config: Config,
  options: RunOptions,
): Promise<Readonly<Record<string, TopicSummary>>> {
  const { log, signal, clock = systemClock, operators = {}, meter } = options
  const codeOptions = { log, meter, given: operators }
  const listNames = options.topicNames ?? (() => listTopics(kafkaOptionsOf(config.kafka, log)))
  const hasPatterns = Object.keys(config.patterns).length > 0
  const first = hasPatterns
    ? discoverTopics(config, await listTopicsWithRetry(listNames, clock))
    : { found: [], invalid: [], overLimit: {} }
  checkTopicsMax(config, first)
  const reported = new Set<string>()
  reportInvalidTopics(first, reported, log)
  const discovered = new Set(first.found.map(({ name }) => name))
  const entries = Object.entries(config.topics).map(([name, topic]) => ({ name, topic }))
  const topics = [...entries, ...first.found]
  const services = { ...servicesOf(config, options, topics.length), threads }
  let endOffsets: ReturnType<typeof watchEndOffsets>
  const slots = new OpeningSlots(clock)
  const supervise = ({ name, topic }: NamedTopic): SupervisedTopic => {
    const run: SupervisedTopic = new SupervisedTopic(name, topic, {
      open: (emit) =>
        slots.run(
          async () =>
            openTopicWithInference(topic, services, emit, await makeTopicCode(name, topic, codeOptions)),
          run.control.stopSignal,
        ),
      onRestart: (failed) => topicSet.restart(failed),
      until: options.until,
      isDeletedTopic: (failed, error) => isDeletedTopic(failed, error, discovered, listNames),
      log,
      clock,
      endOffsets: () => endOffsets?.of(topic.topic) ?? new Map(),
    })
    options.observe?.(run)
    if (options.onCommit !== undefined) reportCommits(run, options.onCommit)
    return run
  }
  const topicSet = new TopicSet({ log, onFailure: config.onFailure })
  const stop = (): void => topicSet.stopAll()
  topicSet.stopSignal.addEventListener('abort', () => options.onStopping?.(), { once: true })
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for (const topic of topics) topicSet.add(supervise(topic))
    endOffsets = watchEndOffsets(topicSet, services, clock)
    options.onOpen?.(topicSet.topics)
    if (signal?.aborted === true) stop()
    for (const run of [...topicSet.topics]) topicSet.start(run)
    if (hasPatterns && options.until === 'stopped')
      await watchTopics({
        config,
        topicSet,
        discovered,
        reported,
        listTopics: listNames,
        supervise,
        log,
        clock,
      })
    await topicSet.waitUntilEnded()
    return topicSet.summaries()
  } finally {
    signal?.removeEventListener('abort', stop)
    // Both wait for brokers that do not answer.
    await Promise.all([topicSet.close(), endOffsets?.close()])
  }
}

/** Each attempt already waits for the brokers up to their timeout, so this deadline allows a few minutes in all. */
const LIST_TOPICS_RETRY: RetryPolicy = { ...DEFAULT_RETRY_POLICY, deadlineMs: 600_000 }

/** Asks the brokers at the start, with retries: without the answer no topic can run. */
function listTopicsWithRetry<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  return new Retries(LIST_TOPICS_RETRY, undefined, clock).run(ask)
}

function reportCommits(run: TopicRun, onCommit: NonNullable<RunOptions['onCommit']>): void {
  run.events.subscribe((event) => {
    if (event.kind === 'committed') onCommit(event.commit, run)
  })
}

/** Keeps the end offsets of all topics known until they have ended, with one connection to each broker. */
function watchEndOffsets(
  { topics }: TopicSet,
  { config: { kafka }, connectors, log }: TopicServices,
  clock: Clock,
): ReturnType<NonNullable<TopicConnectors['endOffsets']>> | undefined {
  try {
    return connectors.endOffsets?.(kafkaOptionsOf(kafka, log), {
      topics: () => topics.flatMap(({ topic, status }) => (status.state === 'ended' ? [] : [topic])),
      isolation: kafka.isolationLevel,
      clock,
    })
  } catch {
    // Options that cannot be used fail each topic, which reports them.
    return undefined
  }
}

/** Returns what all topics of the process share. */
function servicesOf(config: Config, options: RunOptions, topics: number): TopicServices {
  const { until, log, signal, connectors = KAFKA_CONNECTORS, budget = budgetOf(config) } = options
  budget.expectTopics(topics)
  const circuits = options.circuits ?? new Circuits(config.circuit, signal === undefined ? {} : { signal })
  const { maintenanceQueue = new SerialQueue(), tables = createTablePool(config, circuits) } = options
  return { config, until, log, connectors, maintenanceQueue, tables, budget }
}

/**
 * Returns true when a discovered topic no longer exists. Brokers that do not answer prove nothing, hence false; after an
 * error that says so they are not asked, because the topic would show no failure until they time out.
 */
async function isDeletedTopic(
  run: TopicRun,
  error: unknown,
  discovered: ReadonlySet<string>,
  listNames: () => Promise<readonly string[]>,
): Promise<boolean> {
  if (!discovered.has(run.name)) return false
  if (error instanceof PipelineError && error.code === 'KD_TOPIC_MISSING') return true
  if (error instanceof PipelineError && error.code === 'KD_KAFKA_UNREACHABLE') return false
  const names = await listNames().catch(() => undefined)
  return names !== undefined && !names.includes(run.topic)
}
