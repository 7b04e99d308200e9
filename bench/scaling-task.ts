// One of several processes that carry one topic into one table, for `npm run bench:scaling`.
import { runTopics } from '../src/service/topics.ts'
import { createLogger } from '../src/telemetry/log.ts'
import { configOf } from './config.ts'
import type { Task } from './measured.ts'

/** One process of a group. */
export interface ScalingTask extends Task {
  /** When all processes begin, in milliseconds since the epoch: each has loaded its modules by then. */
  readonly beginAtMs: number
}

/** What one process of a group did. */
export interface ScalingMeasured {
  readonly records: number
  readonly commits: number
  /** Puts tried, and versions lost to the other processes. */
  readonly attempts: number
  readonly conflicts: number
  /** When its last commit was done, in milliseconds since the epoch; when it began where it has none. */
  readonly lastAtMs: number
  /** Seconds of CPU from the beginning on, and peak memory of the whole process. */
  readonly cpuS: number
  readonly rssBytesMax: number
}

const task = JSON.parse(process.argv[2] ?? '') as ScalingTask
const config = configOf(task)
const done = { records: 0, commits: 0, attempts: 0, conflicts: 0, lastAtMs: task.beginAtMs }
await new Promise((resolve) => setTimeout(resolve, task.beginAtMs - Date.now()))
const before = process.cpuUsage()
await runTopics(config, {
  until: 'latest',
  log: createLogger({ level: config.log.level }),
  onCommit: ({ counts, attempts, conflicts }) => {
    done.records += counts.records
    done.commits++
    done.attempts += attempts
    done.conflicts += conflicts
    done.lastAtMs = Date.now()
  },
})
const { user, system } = process.cpuUsage(before)
const { maxRSS } = process.resourceUsage()
const measured: ScalingMeasured = { ...done, cpuS: (user + system) / 1e6, rssBytesMax: maxRSS * 1024 }
process.stdout.write(`${JSON.stringify(measured)}\n`)
