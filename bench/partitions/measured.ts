/** The arguments of one measured flush, passed as JSON. */
export interface PartitionsTask {
  readonly rows: number
  /** Table partitions that the rows belong to, in turns. */
  readonly partitions: number
}

/** What one measured flush tells on its last line of output. */
export interface PartitionsMeasured {
  /** Files that it wrote. */
  readonly files: number
  /** Seconds from the first row to the commit and the checkpoint, if one was due. */
  readonly wallS: number
  /** Resident memory before the first row was made. */
  readonly rssBytesStart: number
  /** Peak resident memory of the process. */
  readonly rssBytesMax: number
}
