import type { OptionTree } from '../option.ts'

/** What becomes of the process where a topic fails for good. */
const ON_FAILURE = ['stop-topic', 'stop-process'] as const

/** The topics of one process beside each other: options outside `topics`. */
export const SUPERVISION_OPTIONS = {
  onFailure: {
    doc: 'What a topic that fails for good does to the others: with `stop-topic` they go on, and the process ends with the code of the first failure once no topic is carried any more; with `stop-process` they commit what they hold and the process ends. An entry of `topics` may say otherwise.',
    format: ON_FAILURE,
    default: 'stop-topic',
    env: 'KAFKA_DELTA_ON_FAILURE',
  },
  budget: {
    bytes: {
      doc: 'Bytes of records that all topics of the process together may hold between Kafka and the commit. Unset, a quarter of the memory that the process may use, and at least 64 MiB. Each topic has its part of it for sure and borrows what others leave.',
      format: 'whole-number',
      unit: 'bytes',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_BUDGET_BYTES',
    },
  },
  shutdown: {
    deadlineMs: {
      doc: 'Longest time from SIGTERM to the exit. What is not committed by then is read again after the next start. Whoever sends the signal has to wait longer than that before it kills: 30 seconds for the default.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 25_000,
      env: 'KAFKA_DELTA_SHUTDOWN_DEADLINE_MS',
    },
  },
} as const satisfies OptionTree

/** What becomes of one topic that fails: options of an entry of `topics`. */
export const TOPIC_SUPERVISION_OPTIONS = {
  onFailure: {
    doc: 'What this topic does to the others when it fails for good. Unset, what `onFailure` of the process says.',
    format: ON_FAILURE,
    default: null,
    nullable: true,
  },
  restart: {
    attempts: {
      doc: 'Times that a topic is begun without a commit in between, when it fails with what a retry may fix, before it has failed for good: with 1 it is never begun again.',
      format: 'whole-number',
      default: 6,
    },
    baseMs: {
      doc: 'Longest pause before a topic is begun again for the first time; it doubles with each failure. How much of it is waited is left to chance, so that not all begin at once.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 1_000,
    },
    capMs: {
      doc: 'Longest pause before a topic is begun again at all.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 60_000,
    },
  },
} as const satisfies OptionTree
