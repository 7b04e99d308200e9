// Runs one of several processes that ingest one topic into one table, for `npm run bench:scaling`.
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { configOf } from '../config.ts'
import type { Task } from '../measured.ts'

/** Holds the arguments of one process of a group. */
export interface ScalingTask extends Task {
  /** Start time of all processes, in milliseconds since the epoch; each has loaded its modules by then. */
  readonly beginAtMs: number
}

/** Holds the result of one process of a group. */
export interface ScalingMeasured {
  readonly records: number
  /** Time of each commit, in milliseconds since the epoch, and its records; in order. */
  readonly commits: readonly (readonly [atMs: number, records: number])[]
  /** Number of commit conflicts with the other processes. */
  readonly conflicts: number
  /** Seconds of CPU since the start time, and peak memory of the whole process in bytes. */
  readonly cpuS: number
  readonly rssBytesMax: number
}

const task = JSON.parse(process.argv[2] ?? '') as ScalingTask
const configured = configOf(task)
// Members learn of a rebalance by heartbeats: short intervals let all of them start sooner.
const config = { ...configured, kafka: { ...configured.kafka, heartbeatMs: 500 } }
const commits: (readonly [number, number])[] = []
let conflicts = 0
await new Promise((resolve) => setTimeout(resolve, task.beginAtMs - Date.now()))
const before = process.cpuUsage()
await runTopics(config, {
  until: 'latest',
  // Rebalances while the group forms are expected and not logged.
  log: createLogger({ level: 'error' }),
  onCommit: (commit) => {
    commits.push([Date.now(), commit.counts.records])
    conflicts += commit.conflicts
  },
})
const { user, system } = process.cpuUsage(before)
const { maxRSS } = process.resourceUsage()
const measured: ScalingMeasured = {
  records: commits.reduce((sum, [, records]) => sum + records, 0),
  commits,
  conflicts,
  cpuS: (user + system) / 1e6,
  rssBytesMax: maxRSS * 1024,
}
process.stdout.write(`${JSON.stringify(measured)}\n`)
