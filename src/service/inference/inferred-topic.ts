import type { TopicConfig } from '../../../config/types.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { Contract } from '../../contract/contract.ts'
import { PipelineError } from '../../core/errors.ts'
import { Closers, closeOnFailure } from '../../core/lifecycle/closers.ts'
import { describeAddedColumns, inferColumns, listUnmappedFields } from '../../evolution/infer-from-sample.ts'
import { RESCUED_DATA } from '../../evolution/policy.ts'
import { extensionColumnsOf, type TopicExtensions } from '../operators/extensions.ts'
import { configuredColumnsOf } from '../table/enrichments.ts'
import { type Sample, sampleTopic } from './sample.ts'
import { findColumnSource } from '../table/target.ts'
import type { TopicEventHandler } from '../topic/events.ts'
import { openTopic, type TopicServices } from '../topic/topic.ts'
import type { TopicPipeline } from '../topic/topic-pipeline.ts'

/**
 * Infers the columns of a topic from its first messages, then opens it. Resolves to `undefined` when `signal` is aborted
 * before there are any. Call `discard` instead of it when the topic is not to be opened after all.
 */
export interface OpenInferred {
  (signal: AbortSignal): Promise<TopicPipeline | undefined>
  readonly discard?: () => Promise<void>
}

/**
 * Opens a topic. When neither a schema nor an existing table defines the columns, it returns the function that infers them
 * and opens the topic then. The code of a user in `extensions` is closed when the topic cannot be opened.
 * @throws the errors of `openTopic`
 */
export async function openTopicWithInference(
  topic: TopicConfig,
  services: TopicServices,
  emit: TopicEventHandler,
  extensions: TopicExtensions = {},
): Promise<TopicPipeline | OpenInferred> {
  const closers = new Closers((error) =>
    services.log.warn({ err: error, topic: topic.topic }, 'The operators of the topic could not be closed'),
  )
  closers.add(() => extensions.close?.())
  return await closeOnFailure(closers, async () => {
    const { config, tables } = services
    const { isKnown, missingSubject } = await findColumnSource(topic, config, tables, extensions)
    if (missingSubject !== undefined)
      services.log.info(
        { topic: topic.topic, subject: missingSubject },
        `The schema registry has no schema of subject ${missingSubject}: columns follow the schemas that the messages name. To define them in advance, set subject or contract`,
      )
    const sources = { extensions: { ...extensions, close: () => closers.close() } }
    if (isKnown) return openTopic(topic, services, emit, sources)
    const added = extensionColumnsOf(extensions).map(({ name }) => name)
    const infer = async (signal: AbortSignal): Promise<TopicPipeline | undefined> => {
      const inference = new ContractInference(topic, services, { missingSubject, added }, signal, emit)
      const found = await inference.run()
      if (found !== undefined)
        return openTopic(found.topic, services, emit, { ...sources, inferred: found.inferred })
      await closers.close()
      return undefined
    }
    return Object.assign((signal: AbortSignal) => closeOnFailure(closers, () => infer(signal)), {
      discard: () => closers.close(),
    })
  })
}

/** Infers the contract of one topic from its first messages. */
class ContractInference {
  readonly #settings: TopicConfig
  readonly #services: TopicServices
  readonly #missingSubject: string | undefined
  /** Columns that the code of a user adds, which messages do not fill. */
  readonly #added: readonly string[]
  readonly #signal: AbortSignal
  readonly #emit: TopicEventHandler

  constructor(
    topic: TopicConfig,
    services: TopicServices,
    {
      missingSubject,
      added,
    }: { readonly missingSubject: string | undefined; readonly added: readonly string[] },
    signal: AbortSignal,
    emit: TopicEventHandler,
  ) {
    this.#settings = topic
    this.#services = services
    this.#missingSubject = missingSubject
    this.#added = added
    this.#signal = signal
    this.#emit = emit
  }

  /**
   * Returns the contract inferred from the first messages, or `undefined` when the topic was stopped before any
   * arrived.
   */
  async run(): Promise<{ inferred: Contract; topic: TopicConfig } | undefined> {
    const topic = this.#settings
    const first = await this.#sample('latest')
    if (first.messages.length > 0) return { inferred: this.#infer(first), topic }
    if (this.#signal.aborted) return undefined
    // With `startFrom: latest`, records that arrive during the wait would be skipped, although the configuration only
    // asks to skip the earlier ones.
    const skipsRecords = topic.startFrom === 'latest' && first.records > 0
    if (this.#services.until === 'latest' || skipsRecords || isFull(first, topic))
      throw nothingToInferError(topic, first, this.#missingSubject)
    this.#services.log.info(
      { topic: topic.topic, records: first.records },
      'Waiting for the first messages to infer the columns from: there is neither a schema nor a table',
    )
    const sample = await this.#sample('stopped')
    if (sample.messages.length > 0)
      return { inferred: this.#infer(sample), topic: { ...topic, startFrom: 'earliest' } }
    // The sample is empty because the topic was stopped, or because every record is unreadable.
    if (isFull(sample, topic)) throw nothingToInferError(topic, sample, this.#missingSubject)
    return undefined
  }

  #sample(until: 'latest' | 'stopped'): Promise<Sample> {
    return sampleTopic({
      config: this.#services.config,
      topic: this.#settings,
      limits: this.#settings.inference,
      until,
      source: this.#services.connectors.source,
      log: this.#services.log,
      circuits: this.#services.tables.circuits,
      signal: this.#signal,
      // A topic whose first messages are waited for is told by its brokers and its member, as one that is read.
      onEvent: (event) => this.#emit({ kind: 'source', event }),
    })
  }

  #infer(sample: Sample): Contract {
    const { messages, writers, records } = sample
    const topic = this.#settings
    const reserved = new Set(
      [...configuredColumnsOf(topic), ...this.#added, RESCUED_DATA].map((name) => name.toLowerCase()),
    )
    const isHidden = (folded: string): boolean => reserved.has(folded)
    const schema = inferColumns(messages, { timestamps: topic.inference.timestamps, isHidden, writers })
    if (schema.fields.length === 0 && configuredColumnsOf(topic).length === 0)
      throw nothingToInferError(topic, sample, this.#missingSubject)
    const fields = { topic: topic.topic, records, columns: describeAddedColumns(schema) }
    const lines = describeAddedColumns(schema).join('\n')
    this.#services.log.info(
      fields,
      `Inferred the columns from the first ${messages.length} messages:\n${lines}`,
    )
    const left = listUnmappedFields(messages, schema, isHidden)
    if (left.length > 0)
      this.#services.log.warn(
        { topic: topic.topic, left: left.map((name) => name.toWellFormed()) },
        'These fields cannot become columns, by their name or their number',
      )
    return contractOfTable(schema, `the first messages of ${topic.topic}`)
  }
}

function isFull({ records, bytes }: Sample, { inference }: TopicConfig): boolean {
  return records >= inference.records || bytes >= inference.bytes
}

function nothingToInferError(
  { topic, table }: TopicConfig,
  sample: Sample,
  missingSubject: string | undefined,
): PipelineError {
  const found = describeEmptySample(sample)
  const subject =
    missingSubject === undefined
      ? ''
      : `; the schema registry has no schema of subject ${missingSubject} (options subject and contract)`
  const detail = `topic ${topic}: expected a contract or messages to infer the columns from, since there is no table yet; ${found}${subject}`
  return new PipelineError('KD_CONFIG_INVALID', detail, { uri: table.uri })
}

/** Returns why a sample has no columns. */
function describeEmptySample({ records, messages, unreadable: [first] }: Sample): string {
  if (messages.length > 0) return `none of the first ${messages.length} messages has a field with a value`
  if (first !== undefined)
    return `none of ${records} records can be decoded, for example offset ${first.offset}: ${first.message}`
  return records === 0 ? 'the topic is empty' : `none of ${records} records has a value`
}
