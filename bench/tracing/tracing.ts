/**
 * `npm run bench:tracing [runs]` measures the cost of tracing as a share of the pipeline's CPU. The same
 * records go through the whole chain into a table in memory, alternating in one process: without any tracing,
 * with tracing off (stages are timed and flushes named), and with tracing on, where all spans are sent to a
 * collector in a process of its own. Adjacent runs are paired and the median of the pairs is reported,
 * because single runs differ by more than the measured cost, due to garbage collection and the load of the
 * machine. Batches have the size of common fetches first, and then a size so small that tracing has the most
 * work.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { StageTiming } from '../../src/core/batch.ts'
import { nowMs } from '../../src/core/stage/span.ts'
import { median } from '../programs.ts'
import { runProgram } from '../run-program.ts'
import type { TracingMeasured, TracingTask, Variant } from './task.ts'

const RECORDS = 100_000
const RUNS_BEFORE = 4
const RUNS = Number(process.argv[2] ?? 30)

const COLLECTOR = `
const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

const [collector, endpoint] = await startCollector()
try {
  console.log(`${RUNS} flushes of ${RECORDS} records per variant; node ${process.version}`)
  for (const size of [4_000, 500]) await compare(size)
  console.log(`timing a stage of a batch, which cannot be turned off: ${nanosPerTiming().toFixed(0)} ns`)
} finally {
  collector.kill()
}

async function compare(batchRecords: number): Promise<void> {
  const sizes = { batchRecords, flushRecords: RECORDS, records: RECORDS }
  const task: TracingTask = { endpoint, ...sizes, runsBefore: RUNS_BEFORE, runs: RUNS }
  const flags = ['--expose-gc', ...process.execArgv]
  const micros = await runProgram<TracingMeasured>('tracing/task', task, flags)
  const more = (of: Variant, than: Variant): string => {
    const shares = micros[of].map((each, run) => (each / (micros[than][run] as number) - 1) * 100)
    const sorted = [...shares].sort((a, b) => a - b)
    const quartile = (part: number): string => (sorted[Math.floor(sorted.length * part)] ?? NaN).toFixed(1)
    return `${median(shares).toFixed(2)} % (half of the pairs between ${quartile(0.25)} and ${quartile(0.75)})`
  }
  console.log(
    `\nbatches of ${batchRecords} records: ${median([...micros.off]).toFixed(3)} µs of CPU per record`,
  )
  console.log(`  off compared with none: ${more('off', 'none')}`)
  console.log(`  on compared with off:   ${more('on', 'off')}`)
}

async function startCollector(): Promise<[ChildProcess, string]> {
  const process_ = spawn(process.execPath, ['-e', COLLECTOR], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(process_.stdout, 'data')) as [Buffer]
  return [process_, `http://127.0.0.1:${port.toString().trim()}`]
}

/** Returns the cost of timing one stage of one batch, which cannot be turned off, in nanoseconds. */
function nanosPerTiming(): number {
  const times = 1_000_000
  let timings: StageTiming[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) {
    if (i % 8 === 0) timings = []
    const startMs = nowMs()
    timings.push({ stage: 'decode', startMs, endMs: nowMs() })
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / times
}
