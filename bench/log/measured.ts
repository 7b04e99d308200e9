/** A step that is measured by itself. */
export type LogStep =
  | 'build'
  | 'open and first commit'
  | 'checkpoint, unchanged files copied'
  | 'checkpoint, every file encoded anew'
  | 'all files read'
  | 'all files read, without statistics'

/** The arguments of a measured step, passed as JSON. */
export interface LogTask {
  readonly step: LogStep
  /** Folder of the table. */
  readonly table: string
  /** Files that the table was built with. */
  readonly files: number
}

/** What one measured step tells on its last line of output. */
export interface LogMeasured {
  /** Files that it dealt with. */
  readonly files: number
  /** Seconds, without the start of the process. */
  readonly wallS: number
  /** Seconds of CPU, user and system, of all threads, without the start of the process. */
  readonly cpuS: number
  /** Peak resident memory of the process. */
  readonly rssBytesMax: number
}

/** Columns of the table that have statistics. */
export const columnNames: readonly string[] = ['id', 'user', 'event', 'place', 'page']
