/*
 * `npm run bench:tracing [rounds]`: what tracing costs, as a share of the pipeline's CPU. The same records go through the
 * whole chain into a table in memory, in a process each: with nothing about traces at all, with tracing off (stages are
 * timed and flushes named), and with tracing on, all spans sent to a collector in a process of its own. Rounds are paired,
 * so that all meet the same machine. Batches are of the size of common fetches, and then so small that tracing has most
 * to do.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { StageTiming } from '../src/core/batch.ts'
import { nowMs } from '../src/core/span.ts'
import { median } from './programs.ts'
import { runProgram } from './run-program.ts'
import type { TracingMeasured, TracingTask } from './tracing-task.ts'

const RECORDS = 20_000
const RUNS = 20
const ROUNDS = Number(process.argv[2] ?? 7)
const VARIANTS = ['none', 'off', 'on'] as const
type Variant = (typeof VARIANTS)[number]

const COLLECTOR = `
const server = require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

const [collector, endpoint] = await startCollector()
try {
  console.log(`${RUNS} flushes of ${RECORDS} records, ${ROUNDS} rounds; node ${process.version}`)
  for (const size of [4_000, 500]) await compare(size)
  console.log(`timing a stage of a batch, which is never off: ${nanosPerTiming().toFixed(0)} ns`)
} finally {
  collector.kill()
}

async function compare(batchRecords: number): Promise<void> {
  const micros: Record<Variant, number[]> = { none: [], off: [], on: [] }
  for (let round = 0; round < ROUNDS; round++) {
    // The order turns, so that none always follows the same other.
    for (let i = 0; i < VARIANTS.length; i++) {
      const variant = VARIANTS[(i + round) % VARIANTS.length] as Variant
      const task = { variant, endpoint, batchRecords, flushRecords: RECORDS, records: RECORDS, runs: RUNS }
      const measured = await runProgram<TracingMeasured>('tracing-task', task satisfies TracingTask)
      micros[variant].push(measured.micros)
    }
  }
  const more = (of: Variant, than: Variant): string => {
    const shares = micros[of].map((each, round) => (each / (micros[than][round] as number) - 1) * 100)
    return `${median(shares).toFixed(2)} % (${shares.map((share) => share.toFixed(1)).join(', ')})`
  }
  console.log(`\nbatches of ${batchRecords} records: ${median(micros.off).toFixed(3)} µs of CPU a record`)
  console.log(`  off against none: ${more('off', 'none')}`)
  console.log(`  on against off:   ${more('on', 'off')}`)
}

async function startCollector(): Promise<[ChildProcess, string]> {
  const process_ = spawn(process.execPath, ['-e', COLLECTOR], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(process_.stdout, 'data')) as [Buffer]
  return [process_, `http://127.0.0.1:${port.toString().trim()}`]
}

/** Timing is never off: what it takes for each batch and stage. */
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
