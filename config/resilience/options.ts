import type { OptionTree } from '../option.ts'

/** Declares the options below `circuit`: when requests to a failing server are stopped and resumed. */
export const CIRCUIT_OPTIONS = {
  failures: {
    doc: 'Consecutive failures after which the circuit of an object store or schema registry opens: no requests are sent to it, and topics that use it are paused. Answers such as 404 or a refused request are not failures.',
    format: 'whole-number',
    default: 5,
    env: 'KAFKA_DELTA_CIRCUIT_FAILURES',
  },
  openMs: {
    doc: 'How long a circuit stays open before one trial request is sent.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 60_000,
    env: 'KAFKA_DELTA_CIRCUIT_OPEN_MS',
  },
  successes: {
    doc: 'Consecutive successful trial requests after which an open circuit closes. A failure among them opens it again.',
    format: 'whole-number',
    default: 3,
    env: 'KAFKA_DELTA_CIRCUIT_SUCCESSES',
  },
} as const satisfies OptionTree

/** Declares the options below `retry` of an entry of `topics`: the retry policy. */
export const RETRY_OPTIONS = {
  attempts: {
    doc: 'Maximum attempts of a request to an object store, the schema registry or the dead-letter topic. Failed attempts count only while the server answers other requests; if it answers none, the topic waits instead of failing. Topics that write to the same table share its store and therefore the retry policy of the topic that opened it first.',
    format: 'whole-number',
    default: 6,
  },
  baseMs: {
    doc: 'Maximum backoff before the second attempt; it doubles with each further attempt. The actual backoff is random between 0 and the maximum.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 200,
  },
  capMs: {
    doc: 'Upper limit of the backoff between attempts. At least `retry.baseMs`.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 10_000,
  },
  deadlineMs: {
    doc: 'No attempt starts later than this after the first one. Time in which the circuit of the server is open does not count.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 120_000,
  },
} as const satisfies OptionTree
