// One of several processes that carry one topic into one table, for `npm run bench:scaling`.
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { configOf } from '../config.ts'
import type { Task } from '../measured.ts'

/** One process of a group. */
export interface ScalingTask extends Task {
  /** When all processes begin, in milliseconds since the epoch: each has loaded its modules by then. */
  readonly beginAtMs: number
}

/** What one process of a group did. */
export interface ScalingMeasured {
  readonly records: number
  /** When each commit was done, in milliseconds since the epoch, and its records; in order. */
  readonly commits: readonly (readonly [atMs: number, records: number])[]
  /** Versions lost to the other processes. */
  readonly conflicts: number
  /** Seconds of CPU from the beginning on, and peak memory of the whole process. */
  readonly cpuS: number
  readonly rssBytesMax: number
}

const task = JSON.parse(process.argv[2] ?? '') as ScalingTask
const configured = configOf(task)
// Members hear of each other by heartbeats: the sooner, the shorter the time until all of them work.
const config = { ...configured, kafka: { ...configured.kafka, heartbeatMs: 500 } }
const commits: (readonly [number, number])[] = []
let conflicts = 0
await new Promise((resolve) => setTimeout(resolve, task.beginAtMs - Date.now()))
const before = process.cpuUsage()
await runTopics(config, {
  until: 'latest',
  // Members that come and go while the group forms are no news.
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
