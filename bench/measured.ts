/** Holds the result of a measured program, printed as its last line of output: its resource usage from its start on. */
export interface Measured {
  readonly records: number
  /** Seconds from the first to the last record, without the start of the program and joining the group. */
  readonly wallS: number
  /** Seconds of CPU, user and system, of the whole process. */
  readonly cpuS: number
  /** Peak resident memory of the process, in bytes. */
  readonly rssBytesMax: number
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
  /** Configuration of the topic, overriding the benchmark's own. */
  readonly topicConfig: { readonly table?: object; readonly [key: string]: unknown }
}

/** Returns the task that this process was started with. */
export function taskOfProcess(): Task {
  return JSON.parse(process.argv[2] ?? '') as Task
}

/** Prints the resource usage of this process for its parent. */
export function report(records: number, wallMs: number): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const measured: Measured = {
    records,
    wallS: wallMs / 1e3,
    cpuS: (userCPUTime + systemCPUTime) / 1e6,
    rssBytesMax: maxRSS * 1024,
  }
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}
