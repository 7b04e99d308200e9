/** Compresses and decompresses whole values with one codec. */
export interface ByteCodec {
  compress(bytes: Uint8Array): Uint8Array
  /**
   * Throws when the bytes are damaged, truncated or of another codec, or when they decompress to more than
   * `bytesMax`.
   */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array
}
