import type { Circuit } from '../../core/circuit.ts'
import type { ObserveMetric } from '../../telemetry/metrics/observed-metrics.ts'
import type { Health } from '../health/health.ts'
import { TOPIC_STATES } from '../health/readiness.ts'
import type { TopicRun } from '../topic/topic-run.ts'

/** Describes the byte budget of a process: the bytes of all topics between Kafka and their tables. */
export interface BudgetUsage {
  readonly taken: number
  readonly bytesMax: number
}

const CIRCUIT_STATES: Readonly<Record<Circuit['state'], number>> = { closed: 0, 'half-open': 1, open: 2 }

/** Registers the metrics that are read at each export: lag, freshness, memory, circuits and topic states. */
export function registerProcessMetrics(
  observe: ObserveMetric,
  health: Health,
  budget: () => BudgetUsage | undefined,
): void {
  registerTopicGauges(observe, health)
  registerLagGauges(observe, health)
  observe('kafka_delta.ready', (report) => report(health.isReady ? 1 : 0))
  observe('kafka_delta.budget', (report) => report(budget()?.taken ?? buffered(health, 'bytes')))
  observe('kafka_delta.budget.max', (report) => report(budget()?.bytesMax ?? buffered(health, 'bytesMax')))
  const circuits =
    (valueOf: (circuit: Circuit) => number): Parameters<ObserveMetric>[1] =>
    (report) =>
      health.circuits.forEach((each) => report(valueOf(each), { kind: each.kind, name: each.name }))
  observe(
    'kafka_delta.circuit.state',
    circuits(({ state }) => CIRCUIT_STATES[state]),
  )
  observe(
    'kafka_delta.circuit.opened',
    circuits(({ openedCount }) => openedCount),
  )
  observe(
    'kafka_delta.retries',
    circuits(({ retries }) => retries),
  )
  observe('process.memory.usage', (report) => report(process.memoryUsage.rss()))
  observe('process.cpu.time', (report) => {
    const { user, system } = process.cpuUsage()
    report(user / 1e6, { 'cpu.mode': 'user' })
    report(system / 1e6, { 'cpu.mode': 'system' })
  })
}

type Report = Parameters<Parameters<ObserveMetric>[1]>[0]

function registerTopicGauges(observe: ObserveMetric, health: Health): void {
  const each =
    (read: (topic: TopicRun, report: Report) => void): Parameters<ObserveMetric>[1] =>
    (report) =>
      health.topics.forEach((topic) => read(topic, report))
  /** A failed or ended topic holds no bytes, and this process no longer writes its table. */
  const running = (read: (topic: TopicRun, report: Report) => void): Parameters<ObserveMetric>[1] =>
    each((topic, report) => {
      const { state } = topic.status
      if (state !== 'failed' && state !== 'ended') read(topic, report)
    })
  observe(
    'kafka_delta.topic.state',
    each((run, report) => {
      const now = health.stateOf(run)
      for (const state of TOPIC_STATES) report(state === now ? 1 : 0, { topic: run.topic, state })
    }),
  )
  observe(
    'kafka_delta.topic.restarts',
    each((run, report) => report(run.status.restarts, { topic: run.topic })),
  )
  observe(
    'kafka_delta.unmatched.paths',
    running((run, report) => report(run.status.unmatchedPaths, { topic: run.topic })),
  )
  observe(
    'kafka_delta.buffered',
    running((run, report) => report(run.status.buffered().bytes, { topic: run.topic })),
  )
  observe(
    'kafka_delta.buffered.max',
    running((run, report) => report(run.status.buffered().bytesMax, { topic: run.topic })),
  )
  observe(
    'kafka_delta.table.version',
    running((run, report) => {
      const { version } = run.status.summary
      if (version !== undefined) report(Number(version), { topic: run.topic })
    }),
  )
}

/** An unknown value is no value: its series is absent. */
function registerLagGauges(observe: ObserveMetric, health: Health): void {
  /** A failed topic lags until it is repaired; a topic that has ended was stopped or deleted on purpose. */
  const wanted =
    (read: (topic: TopicRun, report: Report) => void): Parameters<ObserveMetric>[1] =>
    (report) => {
      for (const topic of health.topics) if (topic.status.state !== 'ended') read(topic, report)
    }
  observe(
    'kafka_delta.lag',
    wanted((run, report) => {
      const { topic } = run
      const progress = health.progressOf(run.name)
      for (const at of run.status.partitions() ?? []) {
        const lag = progress.lag(at)
        if (lag !== undefined) report(Number(lag), { topic, partition: at.partition })
      }
    }),
  )
  observe(
    'kafka_delta.lag.time',
    wanted((run, report) => {
      const { topic } = run
      for (const at of run.status.partitions() ?? []) {
        const lagMs = health.progressOf(run.name).lagMs(at)
        if (lagMs !== undefined) report(lagMs / 1000, { topic, partition: at.partition })
      }
    }),
  )
  observe(
    'kafka_delta.freshness',
    wanted(({ name, topic }, report) => {
      const { freshnessMs } = health.progressOf(name)
      if (freshnessMs !== undefined) report(freshnessMs / 1000, { topic })
    }),
  )
}

/** Without a process budget, the budget is the sum of the topics' credit. */
function buffered({ topics }: Health, field: 'bytes' | 'bytesMax'): number {
  return topics.reduce((sum, topic) => sum + topic.status.buffered()[field], 0)
}
