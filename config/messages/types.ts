/** What becomes of messages without a value, and how columns are found where nobody says. */
export interface MessageConfig {
  readonly tombstones: 'ignore' | 'deadLetter' | 'row'
  /** There only where `tombstones` is `row`. */
  readonly tombstoneKey?: string
  readonly inference: InferenceConfig
}

/** How much is looked at before a table is made of what was seen: whatever is reached first. */
export interface InferenceConfig {
  readonly records: number
  readonly bytes: number
  /** Counted from the first message. */
  readonly ageMs: number
  readonly timestamps: boolean
}
