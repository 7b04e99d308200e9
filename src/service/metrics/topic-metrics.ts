import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import type { DeadLetterReason } from '../../core/batch.ts'
import { messageCountsOf } from '../../core/raw.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import type { TopicObserver } from '../topic/observer.ts'

const OUTCOMES = ['row', 'dead_letter', 'tombstone', 'filtered'] as const
const REASONS = [
  'decode',
  'contract',
  'rule',
  'transform',
  'type',
  'tombstone',
  'partition',
  'constraint',
  'custom',
] as const satisfies readonly DeadLetterReason[]
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
    this.#fileBytes = instruments.histogram('kafka_delta.file.size')
    this.#flushSeconds = instruments.histogram('kafka_delta.flush.duration')
    this.#stageSeconds = instruments.histogram('kafka_delta.stage.duration')
    this.#operationSeconds = instruments.histogram('messaging.client.operation.duration')
    this.#processSeconds = instruments.histogram('messaging.process.duration')
    this.#runSeconds = instruments.histogram('kafka_delta.maintenance.duration')
  }

  /**
   * Returns the observer of one topic. All series start at 0: a series that starts with its first event would hide
   * that event from rates.
   */
  observer(topic: string): TopicObserver {
    const labels: Attributes = { topic }
    const messaging: Attributes = { 'messaging.system': 'kafka', 'messaging.destination.name': topic }
    this.#startAtZero(labels, messaging)
    return {
      read: (raw) => {
        this.#messages.add(messageCountsOf(raw).messages, messaging)
        this.#readBytes.add(raw.bytes.length, labels)
      },
      flush: ({ deadLetters }) => {
        const startMs = performance.now()
        const reasons = deadLetters.map(({ reason }) => reason)
        return (error) => {
          const seconds = (performance.now() - startMs) / 1000
          this.#flushSeconds.record(seconds, { topic, outcome: error === undefined ? 'committed' : 'failed' })
          if (error === undefined) for (const reason of reasons) this.#deadLetters.add(1, { topic, reason })
        }
      },
      stages: ({ ms, totalMs }) => {
        const operation = (name: string): Attributes => ({ ...messaging, 'messaging.operation.name': name })
        for (const [stage, took] of Object.entries(ms)) {
          this.#stageSeconds.record(took / 1000, { topic, stage })
          const name = OPERATIONS[stage]
          if (name !== undefined) this.#operationSeconds.record(took / 1000, operation(name))
        }
        this.#processSeconds.record(totalMs / 1000, operation('process'))
      },
      committed: (commit) => {
        const { counts } = commit
        this.#committedRecords.add(counts.records + (counts.expanded ?? 0), labels)
        this.#records.add(counts.rows, { topic, outcome: 'row' })
        this.#records.add(counts.deadLetters, { topic, outcome: 'dead_letter' })
        this.#records.add(counts.tombstones, { topic, outcome: 'tombstone' })
        this.#records.add(counts.filtered, { topic, outcome: 'filtered' })
        this.#droppedFields.add(counts.droppedFields ?? 0, labels)
        this.#commits.add(1, labels)
        this.#attempts.add(commit.attempts, labels)
        this.#conflicts.add(commit.conflicts, labels)
        this.#ambiguous.add(commit.ambiguous, labels)
        if (commit.schemaChanged) this.#schemaChanges.add(1, labels)
        this.#files.add(commit.adds.length, labels)
        for (const { size } of commit.adds) this.#fileBytes.record(size, labels)
      },
      maintenance: ({ task, outcome, ms }) => {
        this.#runs.add(1, { topic, task, outcome })
        this.#runSeconds.record(ms / 1000, { topic, task })
      },
      checkpoint: (outcome) => this.#checkpoints.add(1, { topic, outcome }),
      orphaned: (files) => this.#orphaned.add(files, labels),
      status: () => undefined,
    }
  }

  #startAtZero(labels: Attributes, messaging: Attributes): void {
    this.#messages.add(0, messaging)
    for (const counter of [
      this.#readBytes,
      this.#committedRecords,
      this.#droppedFields,
      this.#commits,
      this.#attempts,
      this.#conflicts,
      this.#ambiguous,
      this.#files,
      this.#orphaned,
      this.#schemaChanges,
    ])
      counter.add(0, labels)
    for (const outcome of OUTCOMES) this.#records.add(0, { ...labels, outcome })
    for (const reason of REASONS) this.#deadLetters.add(0, { ...labels, reason })
    for (const outcome of ['written', 'failed']) this.#checkpoints.add(0, { ...labels, outcome })
    for (const task of TASKS)
      for (const outcome of ['done', 'failed']) this.#runs.add(0, { ...labels, task, outcome })
  }
}
