/** What one measured program tells on its last line of output: its own use of the machine, from its start on. */
export interface Measured {
  readonly records: number
  /** Seconds from the first record to the last one, without the start of the program and the joining of the group. */
  readonly wallS: number
  /** Seconds of CPU, user and system, of the whole process. */
  readonly cpuS: number
  /** Peak resident memory of the process. */
  readonly rssBytesMax: number
}

/** The arguments of a measured program, passed as JSON. */
export interface Task {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  /** How many records the topic holds; 0: start, load everything, and end. */
  readonly records: number
  /** The pipeline's own fetch settings, so that both ask the broker for the same. Bytes. */
  readonly fetch: { readonly bytesMax: number; readonly bytesPerPartitionMax: number }
  /** Configuration of the topic, laid over the benchmark's own. */
  readonly topicConfig: { readonly table?: object; readonly [key: string]: unknown }
}

/** The task that this process was started with. */
export function taskOfProcess(): Task {
  return JSON.parse(process.argv[2] ?? '') as Task
}

/** Tells the parent what this process used. */
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
