import type { Circuit } from '../../core/circuit.ts'
import type { ReadOff } from '../../telemetry/metrics/readings.ts'
import type { Health } from '../health/health.ts'
import { TOPIC_STATES } from '../health/readiness.ts'
import type { TopicRun } from '../topic/topic.ts'

/** Bytes of all topics of a process between Kafka and their tables. */
export interface BudgetStanding {
  readonly taken: number
  readonly bytesMax: number
}

const CIRCUIT_STATES: Readonly<Record<Circuit['state'], number>> = { closed: 0, 'half-open': 1, open: 2 }

/** Has everything read off that stands somewhere already: lag, freshness, memory, circuits, and how topics are. */
export function readProcess(
  readOff: ReadOff,
  health: Health,
  budget: () => BudgetStanding | undefined,
  nowMs: () => number = Date.now,
): void {
  readTopics(readOff, health, nowMs)
  readOff('kafka_delta.ready', (tell) => tell(health.isReady ? 1 : 0))
  readOff('kafka_delta.budget', (tell) => tell(budget()?.taken ?? buffered(health, 'bytes')))
  readOff('kafka_delta.budget.max', (tell) => tell(budget()?.bytesMax ?? buffered(health, 'bytesMax')))
  const circuits =
    (valueOf: (circuit: Circuit) => number): Parameters<ReadOff>[1] =>
    (tell) =>
      health.circuits.forEach((each) => tell(valueOf(each), { kind: each.kind, name: each.name }))
  readOff(
    'kafka_delta.circuit.state',
    circuits(({ state }) => CIRCUIT_STATES[state]),
  )
  readOff(
    'kafka_delta.circuit.opened',
    circuits(({ opened }) => opened),
  )
  readOff(
    'kafka_delta.retries',
    circuits(({ retries }) => retries),
  )
  readOff('process.memory.usage', (tell) => tell(process.memoryUsage.rss()))
  readOff('process.cpu.time', (tell) => {
    const { user, system } = process.cpuUsage()
    tell(user / 1e6, { 'cpu.mode': 'user' })
    tell(system / 1e6, { 'cpu.mode': 'system' })
  })
}

function readTopics(readOff: ReadOff, health: Health, nowMs: () => number): void {
  type Tell = Parameters<Parameters<ReadOff>[1]>[0]
  const each =
    (read: (topic: TopicRun, tell: Tell) => void): Parameters<ReadOff>[1] =>
    (tell) =>
      health.topics.forEach((topic) => read(topic, tell))
  /** What has failed or ended holds no partitions and no bytes, and its table is written by nobody. */
  const carried = (read: (topic: TopicRun, tell: Tell) => void): Parameters<ReadOff>[1] =>
    each((topic, tell) => {
      const state = topic.state()
      if (state !== 'failed' && state !== 'ended') read(topic, tell)
    })
  readOff(
    'kafka_delta.topic.state',
    each((run, tell) => {
      const now = health.stateOf(run)
      for (const state of TOPIC_STATES) tell(state === now ? 1 : 0, { topic: run.topic, state })
    }),
  )
  readOff(
    'kafka_delta.topic.restarts',
    each((run, tell) => tell(run.restarts(), { topic: run.topic })),
  )
  readOff(
    'kafka_delta.lag',
    carried((run, tell) => {
      const { topic } = run
      const progress = health.progress(topic)
      for (const at of run.status()) tell(Number(progress.lag(at)), { topic, partition: at.partition })
    }),
  )
  readOff(
    'kafka_delta.lag.time',
    carried((run, tell) => {
      const { topic } = run
      for (const at of run.status()) {
        const lagMs = health.progress(topic).lagMs(at)
        if (lagMs !== undefined) tell(lagMs / 1000, { topic, partition: at.partition })
      }
    }),
  )
  readOff(
    'kafka_delta.freshness',
    carried(({ topic }, tell) => {
      const { last } = health.progress(topic)
      if (last !== undefined) tell((nowMs() - last.newestMs) / 1000, { topic })
    }),
  )
  readOff(
    'kafka_delta.buffered',
    carried((run, tell) => tell(run.buffered().bytes, { topic: run.topic })),
  )
  readOff(
    'kafka_delta.buffered.max',
    carried((run, tell) => tell(run.buffered().bytesMax, { topic: run.topic })),
  )
  readOff(
    'kafka_delta.table.version',
    carried((run, tell) => {
      const { version } = run.summary()
      if (version !== undefined) tell(Number(version), { topic: run.topic })
    }),
  )
}

/** Where the process has no budget of its own, those of its topics are it. */
function buffered({ topics }: Health, what: 'bytes' | 'bytesMax'): number {
  return topics.reduce((sum, topic) => sum + topic.buffered()[what], 0)
}
