import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import { messageCountsOf, valueBytesOf, type Raw } from '../../core/raw.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { SLOW_REASONS } from '../../formats/slow-counts.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import type { TopicEvent, TopicEventHandler } from '../topic/events.ts'

const OUTCOMES = ['row', 'dead_letter', 'tombstone', 'filtered'] as const
const TASKS = ['optimize', 'vacuum', 'clean'] as const

/** Stages of a flush that call the brokers, with the name of the Kafka operation. */
const OPERATIONS: Readonly<Record<string, string>> = { poll: 'poll', commitOffsets: 'commit' }

/**
 * Records the metrics of topics, under `kafka_delta.…` and the OpenTelemetry messaging conventions. Labels are
 * topics, stages, outcomes and reasons, so the configuration bounds the number of series.
 */
export class TopicMetrics {
  readonly #messages: Counter
  readonly #readBytes: Counter
  readonly #committedRecords: Counter
  readonly #records: Counter
  readonly #droppedFields: Counter
  readonly #slowRows: Counter
  readonly #deadLetters: Counter
  readonly #commits: Counter
  readonly #attempts: Counter
  readonly #conflicts: Counter
  readonly #ambiguous: Counter
  readonly #files: Counter
  readonly #orphaned: Counter
  readonly #schemaChanges: Counter
  readonly #checkpoints: Counter
  readonly #runs: Counter
  readonly #rebalances: Counter
  readonly #fileBytes: Histogram
  readonly #flushSeconds: Histogram
  readonly #stageSeconds: Histogram
  readonly #operationSeconds: Histogram
  readonly #processSeconds: Histogram
  readonly #runSeconds: Histogram

  constructor(meter: Meter) {
    const instruments = new Instruments(meter)
    this.#messages = instruments.counter('messaging.client.consumed.messages')
    this.#readBytes = instruments.counter('kafka_delta.read.bytes')
    this.#committedRecords = instruments.counter('kafka_delta.commit.records')
    this.#records = instruments.counter('kafka_delta.records')
    this.#droppedFields = instruments.counter('kafka_delta.dropped.fields')
    this.#slowRows = instruments.counter('kafka_delta.slow.rows')
    this.#deadLetters = instruments.counter('kafka_delta.dead_letters')
    this.#commits = instruments.counter('kafka_delta.commits')
    this.#attempts = instruments.counter('kafka_delta.commit.attempts')
    this.#conflicts = instruments.counter('kafka_delta.commit.conflicts')
    this.#ambiguous = instruments.counter('kafka_delta.puts.ambiguous')
    this.#files = instruments.counter('kafka_delta.files')
    this.#orphaned = instruments.counter('kafka_delta.files.orphaned')
    this.#schemaChanges = instruments.counter('kafka_delta.schema.changes')
    this.#checkpoints = instruments.counter('kafka_delta.checkpoints')
    this.#runs = instruments.counter('kafka_delta.maintenance.runs')
    this.#rebalances = instruments.counter('kafka_delta.rebalances')
    this.#fileBytes = instruments.histogram('kafka_delta.file.size')
    this.#flushSeconds = instruments.histogram('kafka_delta.flush.duration')
    this.#stageSeconds = instruments.histogram('kafka_delta.stage.duration')
    this.#operationSeconds = instruments.histogram('messaging.client.operation.duration')
    this.#processSeconds = instruments.histogram('messaging.process.duration')
    this.#runSeconds = instruments.histogram('kafka_delta.maintenance.duration')
  }

  /**
   * Returns the handler that records the events of one topic. The series of alerts and of rare events start at 0: a series
   * that starts with its first event would hide that event from rates. The others start with their first event, so that an
   * idle topic has few.
   */
  handlerOf(topic: string): TopicEventHandler {
    const labels = labelsOf(topic)
    this.#startAtZero(labels)
    return (event) => {
      switch (event.kind) {
        case 'read':
          this.#noteRead(event.raw, labels)
          break
        case 'flush-ended':
          this.#noteFlush(event, labels)
          break
        case 'committed':
          this.#noteCommit(event.commit, labels)
          break
        case 'maintained': {
          const { task, outcome, ms } = event.run
          this.#runs.add(1, { topic, task, outcome })
          this.#runSeconds.record(ms / 1000, { topic, task })
          break
        }
        case 'checkpointed':
          this.#checkpoints.add(1, { topic, outcome: event.outcome })
          break
        case 'orphaned':
          this.#orphaned.add(event.files.keys.length, labels.own)
          break
        case 'source':
          if (event.event.kind === 'rebalancing') this.#rebalances.add(1, labels.own)
          break
        case 'phase':
        case 'paused':
        case 'resumed':
        case 'flush-formed':
        case 'fenced':
        case 'path-unmatched':
        case 'path-matched':
          break
      }
    }
  }

  #noteRead(raw: Raw, { own, messaging }: TopicLabels): void {
    this.#messages.add(messageCountsOf(raw).messages, messaging)
    this.#readBytes.add(valueBytesOf(raw), own)
  }

  #noteFlush(
    { flush, durationMs, stages, error }: Extract<TopicEvent, { kind: 'flush-ended' }>,
    { own, messaging }: TopicLabels,
  ): void {
    const outcome = error === undefined ? 'committed' : 'failed'
    this.#flushSeconds.record(durationMs / 1000, { ...own, outcome })
    if (error === undefined)
      for (const { reason } of flush.deadLetters) this.#deadLetters.add(1, { ...own, reason })
    for (const [stage, took] of Object.entries(stages.ms)) {
      this.#stageSeconds.record(took / 1000, { ...own, stage })
      const operation = OPERATIONS[stage]
      if (operation !== undefined)
        this.#operationSeconds.record(took / 1000, { ...messaging, 'messaging.operation.name': operation })
    }
    this.#processSeconds.record(stages.totalMs / 1000, {
      ...messaging,
      'messaging.operation.name': 'process',
    })
  }

  #noteCommit(commit: PipelineCommit, { own }: TopicLabels): void {
    const { counts } = commit
    this.#committedRecords.add(counts.records + (counts.expanded ?? 0), own)
    this.#records.add(counts.rows, { ...own, outcome: 'row' })
    this.#records.add(counts.deadLetters, { ...own, outcome: 'dead_letter' })
    this.#records.add(counts.tombstones, { ...own, outcome: 'tombstone' })
    this.#records.add(counts.filtered, { ...own, outcome: 'filtered' })
    this.#droppedFields.add(counts.droppedFields ?? 0, own)
    for (const [reason, count = 0] of Object.entries(counts.slow ?? {}))
      this.#slowRows.add(count, { ...own, reason })
    this.#commits.add(1, own)
    this.#attempts.add(commit.attempts, own)
    this.#conflicts.add(commit.conflicts, own)
    this.#ambiguous.add(commit.ambiguous, own)
    if (commit.schemaChanged) this.#schemaChanges.add(1, own)
    this.#files.add(commit.adds.length, own)
    for (const { size } of commit.adds) this.#fileBytes.record(size, own)
  }

  #startAtZero({ own: labels }: TopicLabels): void {
    const alerts = [this.#committedRecords, this.#commits, this.#conflicts, this.#rebalances]
    const rare = [this.#ambiguous, this.#orphaned, this.#schemaChanges]
    for (const counter of [...alerts, ...rare]) counter.add(0, labels)
    for (const outcome of OUTCOMES) this.#records.add(0, { ...labels, outcome })
    for (const reason of SLOW_REASONS) this.#slowRows.add(0, { ...labels, reason })
    for (const outcome of ['written', 'failed']) this.#checkpoints.add(0, { ...labels, outcome })
    for (const task of TASKS)
      for (const outcome of ['done', 'failed']) this.#runs.add(0, { ...labels, task, outcome })
  }
}

/** Holds the labels of one topic's series. */
interface TopicLabels {
  readonly own: Attributes
  /** Labels of the OpenTelemetry messaging conventions. */
  readonly messaging: Attributes
}

function labelsOf(topic: string): TopicLabels {
  return {
    own: { topic },
    messaging: { 'messaging.system': 'kafka', 'messaging.destination.name': topic },
  }
}
