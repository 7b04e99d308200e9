/**
 * Reads one JSON value from bytes into its column: the position after it, or -1 when the value is not one that this
 * reader can prove right. After -1 the column may hold a part of the value: the caller truncates.
 */
export interface ValueReader {
  read(bytes: Uint8Array, at: number): number
}
