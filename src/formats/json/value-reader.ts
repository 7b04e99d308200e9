/**
 * Reads one JSON value from bytes into its column. Returns the position after it, or -1 when this reader cannot prove
 * that the value is valid. After -1 the column may contain a part of the value, which the caller truncates.
 */
export interface ValueReader {
  read(bytes: Uint8Array, at: number): number
}
