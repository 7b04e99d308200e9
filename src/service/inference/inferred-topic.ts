import { defer, EMPTY, from, mergeMap } from 'rxjs'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { contractOfTable } from '../../contract/existing.ts'
import type { Contract } from '../../contract/contract.ts'
import { PipelineError } from '../../core/errors.ts'
import { addedLines, inferColumns, leftOut } from '../../evolution/inferred.ts'
import { RESCUED_DATA } from '../../evolution/policy.ts'
import { createSource } from '../../kafka/source/kafkajs-source.ts'
import { Credit } from '../../core/credit/credit.ts'
import { configuredColumns } from '../table/enrichments.ts'
import { type Sample, sampleTopic } from './sample.ts'
import { EMPTY_SUMMARY } from '../topic/summary.ts'
import { hasColumns, tablesOf } from '../table/target.ts'
import { TopicControl } from '../topic/control.ts'
import { openTopic, type TopicOptions, type TopicRun } from '../topic/topic.ts'

/**
 * Opens a topic; one of which neither a schema nor a table says what its columns are begins with a look at its first
 * records, once `commits` is subscribed to, and has its table then.
 * @throws what `openTopic` throws
 */
export async function openTopicInferring(
  name: string,
  config: Config,
  topic: TopicConfig,
  options: TopicOptions,
): Promise<TopicRun> {
  const tables = options.tables ?? tablesOf(config)
  if (await hasColumns(topic, config, tables)) return openTopic(name, config, topic, { ...options, tables })
  return new InferringRun(name, config, topic, { ...options, tables })
}

class InferringRun implements TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  readonly commits: TopicRun['commits']
  readonly #config: Config
  readonly #settings: TopicConfig
  readonly #options: TopicOptions
  readonly #stopping = new AbortController()
  readonly #control: TopicControl
  #opening: Promise<TopicRun | undefined> | undefined
  #run: TopicRun | undefined

  constructor(name: string, config: Config, topic: TopicConfig, options: TopicOptions) {
    this.name = name
    this.topic = topic.topic
    this.config = topic
    this.#config = config
    this.#settings = topic
    this.#options = options
    // It holds no bytes; that it is paused is handed on once there is a table.
    this.#control = new TopicControl(new Credit(topic.creditBytes))
    this.commits = defer(() => from((this.#opening ??= this.#open()))).pipe(
      mergeMap((run) => run?.commits ?? EMPTY),
      this.#control.watch(),
    )
  }

  readonly summary: TopicRun['summary'] = () => this.#run?.summary() ?? EMPTY_SUMMARY
  readonly status: TopicRun['status'] = () => this.#run?.status() ?? []
  readonly buffered: TopicRun['buffered'] = () =>
    this.#run?.buffered() ?? { bytes: 0, bytesMax: this.#settings.creditBytes }

  readonly state: TopicRun['state'] = () => this.#run?.state() ?? this.#control.state
  readonly failure: TopicRun['failure'] = () => this.#run?.failure() ?? this.#control.failure
  readonly restarts: TopicRun['restarts'] = () => 0
  readonly standing: TopicRun['standing'] = () => this.#run?.standing() ?? { bufferedBytes: 0, flushes: [] }

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

  /** Nothing is buffered before there is a table. */
  flush(): Promise<void> {
    return this.#run?.flush() ?? Promise.resolve()
  }

  optimize(): Promise<void> {
    return this.#run?.optimize() ?? Promise.resolve()
  }

  stop(): void {
    this.#stopping.abort()
    this.#run?.stop()
  }

  async close(): Promise<void> {
    this.stop()
    // What it failed with has been told by `commits`.
    await this.#opening?.catch(() => undefined)
    await this.#run?.close()
  }

  async #open(): Promise<TopicRun | undefined> {
    const found = await this.#look()
    if (found === undefined) return undefined
    const { inferred, topic } = found
    this.#run = await openTopic(this.name, this.#config, topic, { ...this.#options, inferred })
    if (this.#control.state === 'paused') this.#run.pause()
    if (this.#stopping.signal.aborted) this.#run.stop()
    return this.#run
  }

  /** The columns that the first messages ask for; `undefined` where it was stopped before there were any. */
  async #look(): Promise<{ inferred: Contract; topic: TopicConfig } | undefined> {
    const topic = this.#settings
    const first = await this.#sample('latest')
    if (first.messages.length > 0) return { inferred: this.#infer(first), topic }
    if (this.#stopping.signal.aborted) return undefined
    // Records that come while we wait would be passed over, and with them what nobody has asked to be left out.
    const passes = topic.startFrom === 'latest' && first.records > 0
    if (this.#options.until === 'latest' || passes || isFull(first, topic))
      throw nothingToInferFrom(topic, first)
    this.#options.log.info(
      { topic: topic.topic, records: first.records },
      'Waiting for first messages: neither a schema nor a table says what the columns are',
    )
    const sample = await this.#sample('stopped')
    if (sample.messages.length > 0)
      return { inferred: this.#infer(sample), topic: { ...topic, startFrom: 'earliest' } }
    // Stopped, or full of what cannot be read.
    if (isFull(sample, topic)) throw nothingToInferFrom(topic, sample)
    return undefined
  }

  #sample(until: 'latest' | 'stopped'): Promise<Sample> {
    return sampleTopic({
      config: this.#config,
      topic: this.#settings,
      limits: this.#settings.inference,
      until,
      source: this.#options.ends?.source ?? createSource,
      log: this.#options.log,
      circuits: this.#options.tables?.circuits,
      signal: this.#stopping.signal,
    })
  }

  #infer({ messages, records }: Sample): Contract {
    const topic = this.#settings
    const ours = new Set([...configuredColumns(topic), RESCUED_DATA].map((name) => name.toLowerCase()))
    const hidden = (folded: string): boolean => ours.has(folded)
    const schema = inferColumns(messages, { timestamps: topic.inference.timestamps, hidden })
    const fields = { topic: topic.topic, records, columns: addedLines(schema) }
    const lines = addedLines(schema).join('\n')
    this.#options.log.info(fields, `Columns as the first ${messages.length} messages ask for them:\n${lines}`)
    const left = leftOut(messages, schema, hidden)
    if (left.length > 0)
      this.#options.log.warn({ topic: topic.topic, left }, 'These fields cannot be columns of a table')
    return contractOfTable(schema, `the first messages of ${topic.topic}`)
  }
}

function isFull({ records, bytes }: Sample, { inference }: TopicConfig): boolean {
  return records >= inference.records || bytes >= inference.bytes
}

function nothingToInferFrom({ topic, table }: TopicConfig, sample: Sample): PipelineError {
  const [first] = sample.unreadable
  const found =
    first === undefined
      ? sample.records === 0
        ? 'the topic is empty'
        : `none of ${sample.records} records has a value`
      : `none of ${sample.records} records can be read, such as offset ${first.offset}: ${first.message}`
  const detail = `topic ${topic}: expected a contract or messages to take the columns from, since there is no table yet; ${found}`
  return new PipelineError('KD_CONFIG_INVALID', detail, { uri: table.uri })
}
