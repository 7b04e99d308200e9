import { defer, EMPTY, from, mergeMap } from 'rxjs'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { Contract } from '../../contract/contract.ts'
import { PipelineError } from '../../core/errors.ts'
import { describeAddedColumns, inferColumns, listUnmappedFields } from '../../evolution/infer-from-sample.ts'
import { RESCUED_DATA } from '../../evolution/policy.ts'
import { createSource } from '../../kafka/source/consumer-source.ts'
import { Credit } from '../../core/credit/credit.ts'
import { configuredColumnsOf } from '../table/enrichments.ts'
import { type Sample, sampleTopic } from './sample.ts'
import { EMPTY_SUMMARY } from '../topic/summary.ts'
import { hasColumns, createTablePool } from '../table/target.ts'
import { TopicControl } from '../topic/control.ts'
import { openTopic, type OpenTopicOptions, type TopicRun } from '../topic/topic.ts'

/**
 * Opens a topic. When neither a schema nor an existing table defines the columns, the topic first samples its records
 * once `commits` is subscribed to, infers the columns and then creates the table.
 * @throws the errors of `openTopic`
 */
export async function openTopicWithInference(
  name: string,
  config: Config,
  topic: TopicConfig,
  options: OpenTopicOptions,
): Promise<TopicRun> {
  const tables = options.tables ?? createTablePool(config)
  if (await hasColumns(topic, config, tables)) return openTopic(name, config, topic, { ...options, tables })
  return new InferringTopicRun(name, config, topic, { ...options, tables })
}

class InferringTopicRun implements TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  readonly commits: TopicRun['commits']
  readonly #config: Config
  readonly #settings: TopicConfig
  readonly #options: OpenTopicOptions
  readonly #stopping = new AbortController()
  readonly #control: TopicControl
  #opening: Promise<TopicRun | undefined> | undefined
  #run: TopicRun | undefined

  constructor(name: string, config: Config, topic: TopicConfig, options: OpenTopicOptions) {
    this.name = name
    this.topic = topic.topic
    this.config = topic
    this.#config = config
    this.#settings = topic
    this.#options = options
    // Its credit is never used; a pause is passed on to the topic once its table exists.
    this.#control = new TopicControl(new Credit(topic.creditBytes))
    this.commits = defer(() => from((this.#opening ??= this.#open()))).pipe(
      mergeMap((run) => run?.commits ?? EMPTY),
      this.#control.trackEnd(),
    )
  }

  readonly summary: TopicRun['summary'] = () => this.#run?.summary() ?? EMPTY_SUMMARY
  readonly status: TopicRun['status'] = () => this.#run?.status() ?? []
  readonly buffered: TopicRun['buffered'] = () =>
    this.#run?.buffered() ?? { bytes: 0, bytesMax: this.#settings.creditBytes }

  readonly state: TopicRun['state'] = () => this.#run?.state() ?? this.#control.state
  readonly failure: TopicRun['failure'] = () => this.#run?.failure() ?? this.#control.failure
  readonly restarts: TopicRun['restarts'] = () => 0
  readonly inFlight: TopicRun['inFlight'] = () => this.#run?.inFlight() ?? { bufferedBytes: 0, flushes: [] }

  groupOffsets(): Promise<ReadonlyMap<number, bigint>> {
    return this.#run?.groupOffsets() ?? Promise.resolve(new Map())
  }

  pause(): void {
    this.#control.pause()
    this.#run?.pause()
  }

  resume(): void {
    this.#control.resume()
    this.#run?.resume()
  }

  /** Resolves at once while there is no table: nothing is buffered then. */
  flush(): Promise<void> {
    return this.#run?.flush() ?? Promise.resolve()
  }

  /** @throws KD_COMMAND_INVALID while there is no table */
  async optimize(): Promise<void> {
    if (this.#run === undefined) {
      const detail = `${this.topic} has no table yet: its columns are inferred from the first messages`
      throw new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.topic })
    }
    await this.#run.optimize()
  }

  stop(): void {
    this.#stopping.abort()
    this.#run?.stop()
  }

  async close(): Promise<void> {
    this.stop()
    // `commits` has already reported the failure.
    await this.#opening?.catch(() => undefined)
    await this.#run?.close()
  }

  async #open(): Promise<TopicRun | undefined> {
    const found = await this.#inferContract()
    if (found === undefined) return undefined
    const { inferred, topic } = found
    this.#run = await openTopic(this.name, this.#config, topic, {
      ...this.#options,
      inferredContract: inferred,
    })
    if (this.#control.state === 'paused') this.#run.pause()
    if (this.#stopping.signal.aborted) this.#run.stop()
    return this.#run
  }

  /**
   * Returns the contract inferred from the first messages, or `undefined` when the topic was stopped before any
   * arrived.
   */
  async #inferContract(): Promise<{ inferred: Contract; topic: TopicConfig } | undefined> {
    const topic = this.#settings
    const first = await this.#sample('latest')
    if (first.messages.length > 0) return { inferred: this.#infer(first), topic }
    if (this.#stopping.signal.aborted) return undefined
    // With `startFrom: latest`, records that arrive during the wait would be skipped, although the configuration only
    // asks to skip the earlier ones.
    const skipsRecords = topic.startFrom === 'latest' && first.records > 0
    if (this.#options.until === 'latest' || skipsRecords || isFull(first, topic))
      throw nothingToInferError(topic, first)
    this.#options.log.info(
      { topic: topic.topic, records: first.records },
      'Waiting for the first messages to infer the columns from: there is neither a schema nor a table',
    )
    const sample = await this.#sample('stopped')
    if (sample.messages.length > 0)
      return { inferred: this.#infer(sample), topic: { ...topic, startFrom: 'earliest' } }
    // The sample is empty because the topic was stopped, or because every record is unreadable.
    if (isFull(sample, topic)) throw nothingToInferError(topic, sample)
    return undefined
  }

  #sample(until: 'latest' | 'stopped'): Promise<Sample> {
    return sampleTopic({
      config: this.#config,
      topic: this.#settings,
      limits: this.#settings.inference,
      until,
      source: this.#options.connectors?.source ?? createSource,
      log: this.#options.log,
      circuits: this.#options.tables?.circuits,
      signal: this.#stopping.signal,
    })
  }

  #infer({ messages, records }: Sample): Contract {
    const topic = this.#settings
    const reserved = new Set([...configuredColumnsOf(topic), RESCUED_DATA].map((name) => name.toLowerCase()))
    const isHidden = (folded: string): boolean => reserved.has(folded)
    const schema = inferColumns(messages, { timestamps: topic.inference.timestamps, isHidden })
    const fields = { topic: topic.topic, records, columns: describeAddedColumns(schema) }
    const lines = describeAddedColumns(schema).join('\n')
    this.#options.log.info(
      fields,
      `Inferred the columns from the first ${messages.length} messages:\n${lines}`,
    )
    const left = listUnmappedFields(messages, schema, isHidden)
    if (left.length > 0)
      this.#options.log.warn(
        { topic: topic.topic, left },
        'These fields cannot become columns, by their name or their number',
      )
    return contractOfTable(schema, `the first messages of ${topic.topic}`)
  }
}

function isFull({ records, bytes }: Sample, { inference }: TopicConfig): boolean {
  return records >= inference.records || bytes >= inference.bytes
}

function nothingToInferError({ topic, table }: TopicConfig, sample: Sample): PipelineError {
  const [first] = sample.unreadable
  const found =
    first === undefined
      ? sample.records === 0
        ? 'the topic is empty'
        : `none of ${sample.records} records has a value`
      : `none of ${sample.records} records can be decoded, for example offset ${first.offset}: ${first.message}`
  const detail = `topic ${topic}: expected a contract or messages to infer the columns from, since there is no table yet; ${found}`
  return new PipelineError('KD_CONFIG_INVALID', detail, { uri: table.uri })
}
