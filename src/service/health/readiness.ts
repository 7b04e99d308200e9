import type { Circuit } from '../../core/circuit.ts'
import type { RunState } from '../topic/state.ts'

/** How a topic is, as it is told: `waiting` for a server that does not answer, `stalled` without a reason that is known. */
export type TopicState = RunState | 'waiting' | 'stalled'

/** All of them; metrics have a series for each. */
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

/** How the process is: the first two are ready, the others are not. */
export type Readiness = 'ready' | 'degraded' | 'starting' | 'stopping' | 'stalled' | 'unavailable' | 'failed'

/** Whether work may be expected of a process. */
export function isReady(readiness: Readiness): boolean {
  return readiness === 'ready' || readiness === 'degraded'
}

/**
 * How a process is whose topics are so. `starting` while a table is opened for the first time; `stalled` where a topic does
 * not move and nobody knows why; `failed` where all that are not paused have failed; `unavailable` where all that are left
 * wait for servers; `degraded` where some of them have failed or wait.
 */
export function readinessOf(states: readonly TopicState[]): Exclude<Readiness, 'stopping'> {
  const has = (...wanted: readonly TopicState[]): boolean => states.some((state) => wanted.includes(state))
  if (has('opening')) return 'starting'
  if (has('stalled')) return 'stalled'
  const carried = states.filter((state) => state !== 'paused' && state !== 'ended')
  if (carried.length === 0 || !has('failed', 'restarting', 'waiting')) return 'ready'
  if (has('running')) return 'degraded'
  return has('waiting') ? 'unavailable' : 'failed'
}

/** Whether requests to a server wait. */
export function isHeldUp({ state, isPassing }: Circuit): boolean {
  return state !== 'closed' && isPassing !== true
}

/** How a topic is whose run is in this state. */
export function topicStateOf(
  run: RunState,
  facts: {
    /** Circuits that it needs. */
    readonly circuits: readonly Circuit[]
    /** Whether it lags and has not moved for long. */
    readonly isLate: boolean
    /** Whether it has been carried before. */
    readonly hasRun: boolean
  },
): TopicState {
  if (run !== 'opening' && run !== 'running') return run
  if (facts.circuits.some(isHeldUp)) return 'waiting'
  if (run === 'opening') return facts.hasRun ? 'restarting' : 'opening'
  return facts.isLate ? 'stalled' : 'running'
}
