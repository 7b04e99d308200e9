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
  nowMs: () => number = Date.now,
): void {
  registerTopicGauges(observe, health, nowMs)
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

function registerTopicGauges(observe: ObserveMetric, health: Health, nowMs: () => number): void {
  type Report = Parameters<Parameters<ObserveMetric>[1]>[0]
  const each =
    (read: (topic: TopicRun, report: Report) => void): Parameters<ObserveMetric>[1] =>
    (report) =>
      health.topics.forEach((topic) => read(topic, report))
  /** A failed or ended topic holds no partitions and no bytes, and this process no longer writes its table. */
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
    'kafka_delta.lag',
    running((run, report) => {
      const { topic } = run
      const progress = health.progressOf(run.name)
      for (const at of run.status.partitions())
        report(Number(progress.lag(at)), { topic, partition: at.partition })
    }),
  )
  observe(
    'kafka_delta.lag.time',
    running((run, report) => {
      const { topic } = run
      for (const at of run.status.partitions()) {
        const lagMs = health.progressOf(run.name).lagMs(at)
        if (lagMs !== undefined) report(lagMs / 1000, { topic, partition: at.partition })
      }
    }),
  )
  observe(
    'kafka_delta.freshness',
    running(({ name, topic }, report) => {
      const { lastCommit } = health.progressOf(name)
      if (lastCommit !== undefined) report((nowMs() - lastCommit.newestMs) / 1000, { topic })
    }),
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

/** Without a process budget, the budget is the sum of the topics' credit. */
function buffered({ topics }: Health, field: 'bytes' | 'bytesMax'): number {
  return topics.reduce((sum, topic) => sum + topic.status.buffered()[field], 0)
}
