import type { Circuit } from '../../core/circuit.ts'
import type { ReadObstacle } from '../../kafka/fetch/read-obstacles.ts'
import type { TopicFailure } from '../topic/state.ts'
import type { TopicState } from './readiness.ts'

/** Describes the state of a topic with its causes. */
export interface TopicCondition {
  readonly state: TopicState
  /** Time at which the state began, in milliseconds since the epoch. */
  readonly sinceMs: number
  /** Circuits of the servers that the topic waits for. */
  readonly blocking: readonly Circuit[]
  /** Why some or all partitions cannot be read. */
  readonly obstacle?: ReadObstacle
  /** The last failure, without secrets. */
  readonly failure?: TopicFailure
  /** True when the table is open and the consumer has not joined its group. */
  readonly isJoining: boolean
  /** The present time, in milliseconds since the epoch. */
  readonly nowMs: number
}

const REASON_CHARACTERS_MAX = 500

/** Explains a state: one sentence why, and one what follows or what to do; both absent for a topic without trouble. */
interface Explanation {
  readonly reason?: string
  readonly next?: string
}

/** Returns why a topic is in its state, and what the service does next or the reader can do. */
export function explain(condition: TopicCondition): Explanation {
  const { state, obstacle, failure, isJoining } = condition
  switch (state) {
    case 'running':
      return obstacle === undefined
        ? {}
        : {
            reason: obstacle.reason,
            next: 'The other partitions are read; these are tried again about once a second',
          }
    case 'ended':
      return {}
    case 'paused':
      return { reason: 'An operator paused the topic', next: 'The admin verb resume resumes it' }
    case 'opening':
      return isJoining
        ? {
            reason: obstacle?.reason ?? 'The consumer has not joined its group yet',
            next: 'The topic is read once the group has assigned partitions, or none',
          }
        : { reason: 'The table is not open yet', next: 'The topic is read once its table is open' }
    case 'waiting':
      return explainWait(condition)
    case 'stalled':
      return {
        reason: 'The topic lags, has neither read nor committed, and no unavailable server explains it',
        next: 'Look at partitions and standing in /status and in the log line of the stall',
      }
    case 'restarting':
      return {
        reason: failure === undefined ? 'The topic is started again' : reasonOf(failure),
        next: nextStartOf(failure, condition.nowMs),
      }
    case 'failed':
      return {
        reason: failure === undefined ? 'The topic failed' : reasonOf(failure),
        next: 'It is not started again: remove the cause (docs/troubleshooting.md) and restart it',
      }
  }
}

function explainWait({ blocking: [first], obstacle, nowMs }: TopicCondition): Explanation {
  if (first === undefined)
    return {
      ...(obstacle === undefined ? {} : { reason: obstacle.reason }),
      next: 'Requests are repeated about once a second; the topic continues by itself',
    }
  const { name, code, reason = 'it does not answer', silentSinceMs } = first
  if (silentSinceMs !== undefined)
    return {
      reason: `${name}: it accepts requests, and has answered none for ${Math.round((nowMs - silentSinceMs) / 1000)} s`,
      next: 'A request without an answer is repeated after its time-out; the topic continues by itself',
    }
  return {
    reason: withCode(reason.includes(name) ? reason : `${name}: ${reason}`, code),
    next: `${nextTrialOf(first)}; the topic continues by itself`,
  }
}

/** Returns what is tried next with a server whose circuit is not closed. */
export function nextTrialOf({ kind, state, trialAtMs }: Circuit): string {
  if (kind === 'kafka')
    return state === 'half-open'
      ? 'The first response of a broker closes the circuit'
      : 'Requests are repeated about once a second'
  return trialAtMs === undefined
    ? 'A trial request is sent now'
    : `The next trial request is sent at ${new Date(trialAtMs).toISOString()}`
}

function nextStartOf(failure: TopicFailure | undefined, nowMs: number): string {
  return failure?.retryAtMs === undefined || failure.retryAtMs <= nowMs
    ? 'It continues from its table once it has joined its group'
    : `It starts again from its table at ${new Date(failure.retryAtMs).toISOString()}`
}

function reasonOf({ message, code }: TopicFailure): string {
  return withCode(message, code)
}

function withCode(reason: string, code: string | undefined): string {
  const text = reason.slice(0, REASON_CHARACTERS_MAX)
  return code === undefined ? text : `${text} (${code})`
}

/** Returns the time at which a state began, as far as its cause says; `nowMs` otherwise. */
export function beginOf(
  { state, blocking, obstacle, failure }: Omit<TopicCondition, 'sinceMs' | 'nowMs'>,
  nowMs: number,
): number {
  const causes: readonly (number | undefined)[] =
    state === 'waiting'
      ? blocking.length > 0
        ? blocking.map(({ sinceMs, silentSinceMs = sinceMs }) => silentSinceMs)
        : [obstacle?.sinceMs]
      : state === 'failed' || state === 'restarting'
        ? [failure?.atMs]
        : []
  return Math.min(nowMs, ...causes.filter((each) => each !== undefined))
}

/** Maximum of topics in a line of the log. */
const LISTED_MAX = 5

/** Describes one topic in a line of the log. */
export interface ListedTopic {
  readonly topic: string
  readonly state: TopicState
  readonly since: string
  readonly waitsFor?: readonly string[]
  readonly code?: string
  readonly reason?: string
  readonly next?: string
}

/** Returns the description of a topic for the log and `/readyz`. */
export function listedTopicOf(topic: string, condition: TopicCondition): ListedTopic {
  const { state, sinceMs, blocking, failure } = condition
  const code = state === 'failed' || state === 'restarting' ? failure?.code : blocking[0]?.code
  return {
    topic,
    state,
    since: new Date(sinceMs).toISOString(),
    ...(blocking.length === 0 ? {} : { waitsFor: blocking.map(({ name }) => name) }),
    ...(code === undefined ? {} : { code }),
    ...explain(condition),
  }
}

/** Returns one sentence about a topic: its state, since when and why. */
export function sentenceOf({ state, since, waitsFor, reason }: ListedTopic): string {
  const what = waitsFor === undefined ? state : `${state} for ${waitsFor.join(', ')}`
  return `${what} since ${since.slice(11, 19)}${reason === undefined ? '' : `: ${reason}`}`
}

/** Returns the first five topics as text, and the number of the others. */
export function summarizeTopics(topics: readonly ListedTopic[]): {
  readonly text: string
  readonly topics: readonly ListedTopic[]
} {
  const shown = topics.slice(0, LISTED_MAX)
  const more = topics.length - shown.length
  const text = shown.map((each) => `${each.topic} is ${sentenceOf(each)}`).join('; ')
  return { text: more === 0 ? text : `${text}; and ${more} more`, topics: shown }
}
