/** Configures what happens to messages without a value, and how columns are inferred. */
export interface MessageConfig {
  readonly tombstones: 'ignore' | 'deadLetter' | 'row'
  /** Set only with `tombstones: 'row'`. */
  readonly tombstoneKey?: string
  readonly inference: InferenceConfig
}

/** Limits the sample from which the columns of a new table are inferred; the first limit that is reached counts. */
export interface InferenceConfig {
  readonly records: number
  readonly bytes: number
  /** Milliseconds from the first message. */
  readonly ageMs: number
  readonly timestamps: boolean
}
