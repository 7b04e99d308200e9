import type { OptionTree } from '../option.ts'

/** When the process stops asking a server that fails, and when it asks again: options below `circuit`. */
export const CIRCUIT_OPTIONS = {
  failures: {
    doc: 'Failures on end after which a store or schema registry is not asked any more: its circuit is open, and whoever needs it waits. Answers such as 404 and refusals are no failures.',
    format: 'whole-number',
    default: 5,
    env: 'KAFKA_DELTA_CIRCUIT_FAILURES',
  },
  openMs: {
    doc: 'How long a circuit stays open before one request is let through for trial.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 60_000,
    env: 'KAFKA_DELTA_CIRCUIT_OPEN_MS',
  },
  successes: {
    doc: 'Answers on end that close a circuit which was open. The first failure among them opens it again.',
    format: 'whole-number',
    default: 3,
    env: 'KAFKA_DELTA_CIRCUIT_SUCCESSES',
  },
} as const satisfies OptionTree

/** How hard a topic tries: options below `retry`. */
export const RETRY_OPTIONS = {
  attempts: {
    doc: 'Attempts of a request to a store, the schema registry or the topic of dead letters. Failures count only while the server answers other requests: as long as it answers none, the topic waits. Topics of one table share its store, which follows the topic that opened it first.',
    format: 'whole-number',
    default: 6,
  },
  baseMs: {
    doc: 'The pause before the second attempt is anywhere between nothing and this. It doubles with each further one.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 200,
  },
  capMs: {
    doc: 'Longest pause between attempts.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 10_000,
  },
  deadlineMs: {
    doc: 'No attempt begins later than this after the first. Time in which the circuit of the server is open does not count.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 120_000,
  },
} as const satisfies OptionTree
