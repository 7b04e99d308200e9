/** Holds the arguments of one measured flush, passed as JSON. */
export interface PartitionsTask {
  readonly rows: number
  /** Number of table partitions; consecutive rows belong to different ones. */
  readonly partitions: number
}

/** Holds the result of one measured flush, printed as its last line of output. */
export interface PartitionsMeasured {
  /** Number of files written. */
  readonly files: number
  /** Seconds from the first row to the commit and to the checkpoint, if one was due. */
  readonly wallS: number
  /** Resident memory before the first row, in bytes. */
  readonly rssBytesStart: number
  /** Peak resident memory of the process, in bytes. */
  readonly rssBytesMax: number
}
