import type { OptionTree } from '../option.ts'

/** Effects on the process when a topic fails permanently. */
const ON_FAILURE = ['stop-topic', 'stop-process'] as const

/** Declares the options outside `topics` for running several topics in one process. */
export const SUPERVISION_OPTIONS = {
  onFailure: {
    doc: 'What happens to the other topics when one fails permanently. `stop-topic`: they continue, and the process ends with the exit code of the first failure when no topic is left. `stop-process`: they commit what they have buffered and the process ends. Entries of `topics` can override it.',
    format: ON_FAILURE,
    default: 'stop-topic',
    env: 'KAFKA_DELTA_ON_FAILURE',
  },
  budget: {
    bytes: {
      doc: 'Maximum of record bytes that all topics of the process together hold between Kafka and the commit. Each topic has a reserved share and borrows what others do not use. Unset: a quarter of the memory available to the process, at least 64 MiB.',
      format: 'whole-number',
      unit: 'bytes',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_BUDGET_BYTES',
    },
  },
  workers: {
    doc: 'Number of worker threads that decode records into columns and encode Parquet files for all topics, beside the thread that talks to Kafka and the store. 0: that thread does everything, which takes the least memory. Give each thread a core beside the one of the process; each takes about 80 MiB of memory beside the columns it works on. See [worker threads](scaling.md#worker-threads).',
    format: 'thread-count',
    default: 0,
    env: 'KAFKA_DELTA_WORKERS',
  },
  shutdown: {
    deadlineMs: {
      doc: 'Maximum time of a graceful shutdown, from SIGTERM to the exit. Records that are not committed by then are read again after the next start. The sender of the signal must wait longer before it kills the process: at least 30 seconds with the default.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 25_000,
      env: 'KAFKA_DELTA_SHUTDOWN_DEADLINE_MS',
    },
  },
} as const satisfies OptionTree

/** Declares the options of an entry of `topics` for a topic that fails. */
export const TOPIC_SUPERVISION_OPTIONS = {
  /** Defaults to the option of the process. */
  onFailure: {
    doc: 'What happens to the other topics when this one fails permanently. Unset: `onFailure` of the process.',
    format: ON_FAILURE,
    default: null,
    nullable: true,
  },
  restart: {
    attempts: {
      doc: 'Maximum number of starts without a commit in between before a topic that fails with a retryable error has failed permanently. Outages, which come from outside and may pass, do not count, except with `--until latest`. 1 disables restarts.',
      format: 'whole-number',
      default: 6,
    },
    baseMs: {
      doc: 'Maximum backoff before the first restart; it doubles with each further failure. The actual backoff is random, so that topics do not all restart at once.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 1_000,
    },
    capMs: {
      doc: 'Upper limit of the backoff before a restart. At least `restart.baseMs`.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: 60_000,
    },
  },
} as const satisfies OptionTree
