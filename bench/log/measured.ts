/** Names a step that is measured on its own. */
export type LogStep =
  | 'build'
  | 'open and first commit'
  | 'checkpoint, unchanged files copied'
  | 'checkpoint, every file encoded anew'
  | 'all files read'
  | 'all files read, without statistics'

/** Holds the arguments of a measured step, passed as JSON. */
export interface LogTask {
  readonly step: LogStep
  /** Path of the table. */
  readonly table: string
  /** Number of files of the table. */
  readonly files: number
}

/** Holds the result of a measured step, printed as its last line of output. */
export interface LogMeasured {
  /** Number of files that it processed. */
  readonly files: number
  /** Wall-clock seconds, without the start of the process. */
  readonly wallS: number
  /** Seconds of CPU, user and system, of all threads, without the start of the process. */
  readonly cpuS: number
  /** Peak resident memory of the process, in bytes. */
  readonly rssBytesMax: number
}

/** Lists the columns of the table that have statistics. */
export const columnNames: readonly string[] = ['id', 'user', 'event', 'place', 'page']
