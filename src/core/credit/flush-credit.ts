/** Byte credit as the operators of a pipeline use it: from the buffer until the flush is committed or dropped. */
export interface FlushCredit {
  /** True if the buffer should be flushed before it is due, because its bytes are needed. */
  readonly shouldFlush: boolean
  /** Takes credit for columns that are larger than their Kafka records. Never waits. */
  charge(bytes: number): void
  /** Gives back the credit of batches that left the buffer without a flush. */
  give(bytes: number): void
  /** Counts a flush that left the buffer. */
  flushOpened(): void
  /** Counts a flush that is committed or dropped, and gives back its credit. */
  flushSettled(bytes: number): void
  /** Registers the function that flushes the buffer now. Returns a function that unregisters it. */
  registerFlush(form: () => void): () => void
}
