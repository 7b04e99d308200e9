/** Compresses and decompresses whole values with one codec. */
export interface ByteCodec {
  /** Compresses the bytes; with `fast` at the lowest level of a codec that has levels. */
  compress(bytes: Uint8Array, speed?: 'fast'): Uint8Array
  /**
   * Throws when the bytes are damaged, truncated or of another codec, or when they decompress to more than
   * `bytesMax`.
   */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array
}
