import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../src/core/errors.ts'

/** What the endpoints of a service say about one topic and about the process, at one time. */
export interface Said {
  /** HTTP status of `/readyz`. */
  readonly code: number
  readonly readiness: string
  /** HTTP status of `/healthz`. */
  readonly alive: number
  /** State of each topic by its entry, in `/readyz`. */
  readonly states: Readonly<Record<string, string>>
  /** Components of topics in `/readyz`, whole. */
  readonly topics: Readonly<Record<string, TopicSaid>>
  /** State of each topic by its entry, in `/status`. */
  readonly inStatus: Readonly<Record<string, string>>
  /** Names of the states whose series is 1, by Kafka topic. */
  readonly inMetrics: Readonly<Record<string, readonly string[]>>
  /** `kafka_delta_ready`. */
  readonly readyMetric: number
  /** Status of each topic's component in `/actuator/health`. */
  readonly inActuator: Readonly<Record<string, string>>
  /** Status of `/actuator/health` as a whole. */
  readonly actuator: string
}

/** What `/readyz` says about a topic. */
export interface TopicSaid {
  readonly state: string
  readonly since?: string
  readonly reason?: string
  readonly next?: string
}

interface Health {
  readonly status: string
  readonly components: {
    readonly topics: Readonly<Record<string, { readonly status: string }>> & {
      readonly components?: Readonly<Record<string, { readonly status: string }>>
    }
  }
}

/** Asks all endpoints of the service at `url`. States may change between the answers: ask again then. */
export async function ask(url: string): Promise<Said> {
  const paths = ['/readyz', '/healthz', '/status', '/metrics', '/actuator/health']
  const [ready, alive, status, metrics, actuator] = await Promise.all(paths.map((path) => fetch(url + path)))
  if (!ready || !alive || !status || !metrics || !actuator) throw new Error('an endpoint did not answer')
  const said = (await ready.json()) as {
    status: string
    components: { topics: Readonly<Record<string, TopicSaid>> }
  }
  const report = (await status.json()) as { topics: Readonly<Record<string, TopicSaid>> }
  const health = (await actuator.json()) as Health
  const text = await metrics.text()
  const statesOf = (topics: Readonly<Record<string, TopicSaid>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(topics).map(([name, { state }]) => [name, state]))
  return {
    code: ready.status,
    readiness: said.status,
    alive: alive.status,
    topics: said.components.topics,
    states: statesOf(said.components.topics),
    inStatus: statesOf(report.topics),
    inMetrics: statesInMetrics(text),
    readyMetric: Number(/^kafka_delta_ready(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1]),
    inActuator: Object.fromEntries(
      Object.entries(health.components.topics.components ?? {}).map(([name, each]) => [name, each.status]),
    ),
    actuator: health.status,
  }
}

function statesInMetrics(text: string): Readonly<Record<string, readonly string[]>> {
  const states: Record<string, string[]> = {}
  for (const [, labels = '', value] of text.matchAll(/^kafka_delta_topic_state\{([^}]*)\} (\S+)/gm)) {
    const topic = /topic="([^"]*)"/.exec(labels)?.[1] ?? ''
    const state = /state="([^"]*)"/.exec(labels)?.[1] ?? ''
    const present = (states[topic] ??= [])
    if (value === '1') present.push(state)
  }
  return states
}

const ASK_EVERY_MS = 50

/** Resolves to the first answer of all endpoints that holds, or throws with the last one after `msMax`. */
export async function askUntil(url: string, holds: (said: Said) => boolean, msMax = 30_000): Promise<Said> {
  const endMs = performance.now() + msMax
  let last = ''
  for (;;) {
    try {
      const said = await ask(url)
      if (holds(said)) return said
      last = JSON.stringify(said)
    } catch (error) {
      last = messageOf(error)
    }
    if (performance.now() > endMs) throw new Error(`not within ${msMax} ms; the last answer: ${last}`)
    await sleep(ASK_EVERY_MS)
  }
}
