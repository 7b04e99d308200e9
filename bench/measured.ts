import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counts } from '../src/core/batch.ts'

/** Holds the result of a measured program, printed as its last line of output: its resource usage from its start on. */
export interface Measured {
  readonly records: number
  /** Seconds from the first to the last record, without the start of the program and joining the group. */
  readonly wallS: number
  /** Seconds of CPU, user and system, of the whole process. */
  readonly cpuS: number
  /** The part of `cpuS` of the main thread; absent where the system does not say it. */
  readonly mainCpuS?: number
  /** Peak resident memory of the process, in bytes. */
  readonly rssBytesMax: number
  /**
   * Longest time that the event loop was blocked, in milliseconds: of the CPU of the main thread, where the system tells it, so
   * that times in which other programs had the core do not count.
   */
  readonly blockMsMax: number
  /** Records that were decoded as objects, by reason; absent for programs that do not decode. */
  readonly slow?: Counts['slow']
}

/** Holds the arguments of a measured program, passed as JSON. */
export interface Task {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  /** Number of records in the topic; with 0 the program only starts, loads its modules and ends. */
  readonly records: number
  /** Fetch settings of the pipeline, used by both programs, in bytes. */
  readonly fetch: { readonly bytesMax: number; readonly bytesPerPartitionMax: number }
  /** Options of the topic. */
  readonly topicConfig: { readonly table?: object; readonly [key: string]: unknown }
  /** Address of the schema registry, if there is one. */
  readonly registryUrl?: string
  /** Table that is created before the run. */
  readonly existingTable?: { readonly contract: object; readonly partitionColumns: readonly string[] }
  /** Worker threads of the pipeline; 0 when absent. */
  readonly workers?: number
  /** Transforms of `kafka-delta ingest`, which then reads the topic. */
  readonly ingestTransforms?: readonly string[]
}

const DELAY_RESOLUTION_MS = 5
const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
delay.enable()

/** CPU of the main thread between two ticks of a timer: what exceeds the interval was one turn of the event loop. */
let busyMsMax = 0
let lastCpuS = cpuOfMainThread()
setInterval(() => {
  const cpuS = cpuOfMainThread()
  if (cpuS === undefined || lastCpuS === undefined) return
  busyMsMax = Math.max(busyMsMax, (cpuS - lastCpuS) * 1e3 - DELAY_RESOLUTION_MS)
  lastCpuS = cpuS
}, DELAY_RESOLUTION_MS).unref()

/** Returns the task that this process was started with. */
export function taskOfProcess(): Task {
  return JSON.parse(process.argv[2] ?? '') as Task
}

/** Starts to measure blocks anew, once the program is loaded. */
export function startMeasuring(): void {
  delay.reset()
  busyMsMax = 0
  lastCpuS = cpuOfMainThread()
}

/** Prints the resource usage of this process for its parent. */
export function report(records: number, wallMs: number, slow?: Counts['slow']): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const mainCpuS = cpuOfMainThread()
  const measured: Measured = {
    records,
    wallS: wallMs / 1e3,
    cpuS: (userCPUTime + systemCPUTime) / 1e6,
    rssBytesMax: maxRSS * 1024,
    blockMsMax: Math.max(0, mainCpuS === undefined ? delay.max / 1e6 - DELAY_RESOLUTION_MS : busyMsMax),
    ...(mainCpuS === undefined ? {} : { mainCpuS }),
    ...(slow === undefined ? {} : { slow }),
  }
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}

/** Returns the seconds of CPU of the main thread, which Linux tells by the number of the process. */
function cpuOfMainThread(): number | undefined {
  try {
    const [onCpuNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(onCpuNs) / 1e9
  } catch {
    return undefined
  }
}
