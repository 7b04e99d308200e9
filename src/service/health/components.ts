import type { Circuit } from '../../core/circuit.ts'
import type { Health } from './health.ts'
import type { TopicState } from './readiness.ts'
import { TOPIC_STATE_FACTS } from './states.ts'
import { listedTopicOf, nextTrialOf } from './condition.ts'
import type { TopicRun } from '../topic/topic-run.ts'

/** Describes the state of a server that the process depends on. */
interface ServerHealth {
  readonly state: Circuit['state']
  /** ISO 8601. */
  readonly since: string
  readonly opened: number
  readonly retries: number
  /** The reason for the last opening, and its code. */
  readonly reason?: string
  readonly code?: string
  /** Time since which the server answers no request, ISO 8601; absent while it answers. */
  readonly silentSince?: string
  /** The next trial; absent while the server answers. */
  readonly next?: string
}

/** Describes the state of a topic. */
interface TopicHealth {
  readonly state: TopicState
  /** Begin of the state, ISO 8601. */
  readonly since: string
  /** Names of the servers that the topic waits for. */
  readonly waitsFor?: readonly string[]
  /** Why the topic is in this state; absent without trouble. */
  readonly reason?: string
  /** The next step of the service or of the reader; present with `reason`. */
  readonly next?: string
  /** The last failure. */
  readonly failure?: {
    readonly code: string | null
    readonly message: string
    readonly at: string
    /** Time of the next start. */
    readonly retryAt?: string
  }
}

/** Holds the components that determine readiness, by name. */
interface HealthComponents {
  readonly kafka: Readonly<Record<string, ServerHealth>>
  readonly stores: Readonly<Record<string, ServerHealth>>
  readonly registries: Readonly<Record<string, ServerHealth>>
  readonly topics: Readonly<Record<string, TopicHealth>>
}

/** Returns the present state of all components. */
export function componentsOf(health: Health): HealthComponents {
  const servers = (kind: Circuit['kind']): Readonly<Record<string, ServerHealth>> =>
    Object.fromEntries(
      health.circuits
        .filter((circuit) => circuit.kind === kind)
        .map((each) => [each.name, serverHealthOf(each)]),
    )
  return {
    kafka: servers('kafka'),
    stores: servers('store'),
    registries: servers('registry'),
    topics: Object.fromEntries(health.topics.map((topic) => [topic.name, topicHealthOf(topic, health)])),
  }
}

/** Returns the state of a circuit in the form of `/readyz`. */
export function serverHealthOf(circuit: Circuit): ServerHealth {
  const { state, sinceMs, openedCount: opened, retries, reason, code, silentSinceMs } = circuit
  return {
    ...{ state, since: new Date(sinceMs).toISOString(), opened, retries },
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    ...(silentSinceMs === undefined ? {} : { silentSince: new Date(silentSinceMs).toISOString() }),
    ...(state === 'closed' ? {} : { next: nextTrialOf(circuit) }),
  }
}

/** Returns the state of a topic and its reason. */
export function topicHealthOf(topic: TopicRun, health: Health): TopicHealth {
  const condition = health.conditionOf(topic)
  const { state, since, waitsFor, reason, next } = listedTopicOf(topic.topic, condition)
  const { failure } = condition
  return {
    ...{ state, since },
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(reason === undefined ? {} : { reason }),
    ...(next === undefined ? {} : { next }),
    ...(failure === undefined
      ? {}
      : {
          failure: {
            code: failure.code ?? null,
            message: failure.message,
            at: new Date(failure.atMs).toISOString(),
            ...(failure.retryAtMs === undefined
              ? {}
              : { retryAt: new Date(failure.retryAtMs).toISOString() }),
          },
        }),
  }
}

interface ActuatorComponent {
  readonly status: 'UP' | 'DOWN'
  readonly details?: object
  readonly components?: Readonly<Record<string, ActuatorComponent>>
}

/** Returns the health in the format of Spring Boot Actuator. */
export function actuatorHealthOf(health: Health): object {
  const { topics, ...servers } = componentsOf(health)
  return {
    status: upIf(health.isReady),
    details: { readiness: health.readiness },
    components: {
      ...Object.fromEntries(
        Object.entries(servers).map(([kind, each]) => [kind, group(each, ({ state }) => state === 'closed')]),
      ),
      topics: group(topics, ({ state }) => TOPIC_STATE_FACTS[state].isHealthy),
    },
  }
}

function group<T extends object>(
  each: Readonly<Record<string, T>>,
  isUp: (one: T) => boolean,
): ActuatorComponent {
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
