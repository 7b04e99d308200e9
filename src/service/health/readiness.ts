import type { Circuit } from '../../core/circuit.ts'
import type { RunState } from '../topic/state.ts'
import { makesTopicsWait } from './server-outage.ts'

/**
 * Names the state of a topic in `/status` and metrics: `waiting` for a server that is unavailable, `stalled` for no
 * known reason, otherwise the state of its run.
 */
export type TopicState = RunState | 'waiting' | 'stalled'

/** Lists all topic states; metrics have one series for each. */
export const TOPIC_STATES = [
  'opening',
  'running',
  'paused',
  'waiting',
  'stalled',
  'restarting',
  'failed',
  'ended',
] as const satisfies readonly TopicState[]

/** Names the readiness of a process: the first two count as ready. */
export type Readiness = 'ready' | 'degraded' | 'starting' | 'stopping' | 'stalled' | 'unavailable' | 'failed'

/** Returns true when the process can be expected to work. */
export function isReady(readiness: Readiness): boolean {
  return readiness === 'ready' || readiness === 'degraded'
}

/**
 * Derives the readiness of a process from its topics: `starting` while a topic opens for the first time, unless the process
 * was ready before and others run; `stalled` when a topic makes no progress for no known reason; `failed` when all topics
 * that are not paused have failed; `unavailable` when all remaining topics wait for servers; `degraded` when some topics have
 * failed, open or wait.
 */
export function readinessOf(
  states: readonly TopicState[],
  hasBeenReady = false,
): Exclude<Readiness, 'stopping'> {
  const has = (...wanted: readonly TopicState[]): boolean => states.some((state) => wanted.includes(state))
  if (has('opening') && !(hasBeenReady && has('running'))) return 'starting'
  if (has('stalled')) return 'stalled'
  const carried = states.filter((state) => state !== 'paused' && state !== 'ended')
  if (carried.length === 0 || !has('opening', 'failed', 'restarting', 'waiting')) return 'ready'
  if (has('running')) return 'degraded'
  return has('waiting') ? 'unavailable' : 'failed'
}

/**
 * Derives the state of a topic from the state of its run. This decides that a topic is `waiting` while a store, a
 * schema registry or Kafka is down, and that it does not run before its consumer has joined its group.
 */
export function topicStateOf(
  run: RunState,
  facts: {
    /** Circuits of the servers that the topic uses. */
    readonly circuits: readonly Circuit[]
    /** True when no partition can be read: their brokers or the coordinator of the group do not serve the topic. */
    readonly isCutOff: boolean
    /** True when the consumer has not joined its group since the start of this run. */
    readonly isJoining: boolean
    /** True when the topic lags and has not progressed for `http.stalledMs`. */
    readonly isLate: boolean
    /** True when the topic has run before. */
    readonly hasRun: boolean
  },
): TopicState {
  if (run !== 'opening' && run !== 'running') return run
  if (facts.isCutOff || facts.circuits.some(makesTopicsWait)) return 'waiting'
  if (run === 'opening' || facts.isJoining) return facts.hasRun ? 'restarting' : 'opening'
  return facts.isLate ? 'stalled' : 'running'
}
