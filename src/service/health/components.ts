import type { Circuit } from '../../core/circuit.ts'
import type { Health } from './health.ts'
import { isHeldUp, type TopicState } from './readiness.ts'
import type { TopicRun } from '../topic/topic.ts'

/** A server that the process leans on, as it is told. */
export interface ServerShown {
  readonly state: Circuit['state']
  /** ISO 8601. */
  readonly since: string
  readonly opened: number
  readonly retries: number
  /** Why it opened last. */
  readonly reason?: string
}

/** A topic as it is told. */
export interface TopicShown {
  readonly state: TopicState
  /** Servers that it waits for. */
  readonly waitsFor?: readonly string[]
  /** What it failed with last. */
  readonly failure?: {
    readonly code: string | null
    readonly message: string
    readonly at: string
    /** When it begins again. */
    readonly retryAt?: string
  }
}

/** Everything that readiness follows from. */
export interface Components {
  readonly kafka: Readonly<Record<string, ServerShown>>
  readonly stores: Readonly<Record<string, ServerShown>>
  readonly registries: Readonly<Record<string, ServerShown>>
  readonly topics: Readonly<Record<string, TopicShown>>
}

/** The components of a process as they are now, by their names. */
export function componentsOf(health: Health): Components {
  const servers = (kind: Circuit['kind']): Readonly<Record<string, ServerShown>> =>
    Object.fromEntries(
      health.circuits.filter((circuit) => circuit.kind === kind).map((each) => [each.name, serverOf(each)]),
    )
  return {
    kafka: servers('kafka'),
    stores: servers('store'),
    registries: servers('registry'),
    topics: Object.fromEntries(health.topics.map((topic) => [topic.name, topicOf(topic, health)])),
  }
}

/** A circuit as it is told. */
export function serverOf({ state, sinceMs, opened, retries, reason }: Circuit): ServerShown {
  const since = new Date(sinceMs).toISOString()
  return { state, since, opened, retries, ...(reason === undefined ? {} : { reason }) }
}

/** How a topic is, and why. */
export function topicOf(topic: TopicRun, health: Health): TopicShown {
  const waitsFor = health.circuitsOf(topic).flatMap((circuit) => (isHeldUp(circuit) ? [circuit.name] : []))
  const failure = topic.failure()
  return {
    state: health.stateOf(topic),
    ...(waitsFor.length === 0 ? {} : { waitsFor }),
    ...(failure === undefined
      ? {}
      : {
          failure: {
            code: failure.code ?? null,
            message: health.hide(failure.message),
            at: new Date(failure.atMs).toISOString(),
            ...(failure.retryAtMs === undefined
              ? {}
              : { retryAt: new Date(failure.retryAtMs).toISOString() }),
          },
        }),
  }
}

interface Contributor {
  readonly status: 'UP' | 'DOWN'
  readonly details?: object
  readonly components?: Readonly<Record<string, Contributor>>
}

/** The same as services of Spring tell their health. */
export function actuatorHealthOf(health: Health): object {
  const { topics, ...servers } = componentsOf(health)
  return {
    status: upIf(health.isReady),
    details: { readiness: health.readiness },
    components: {
      ...Object.fromEntries(
        Object.entries(servers).map(([kind, each]) => [kind, group(each, ({ state }) => state === 'closed')]),
      ),
      topics: group(topics, ({ state }) => UP.has(state)),
    },
  }
}

const UP: ReadonlySet<TopicState> = new Set(['running', 'paused', 'ended'])

function group<T extends object>(each: Readonly<Record<string, T>>, isUp: (one: T) => boolean): Contributor {
  const entries = Object.entries(each)
  return {
    status: upIf(entries.every(([, one]) => isUp(one))),
    components: Object.fromEntries(
      entries.map(([name, one]) => [name, { status: upIf(isUp(one)), details: one }]),
    ),
  }
}

function upIf(isUp: boolean): 'UP' | 'DOWN' {
  return isUp ? 'UP' : 'DOWN'
}
