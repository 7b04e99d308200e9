/** One codec, whole values at a time. */
export interface ByteCodec {
  compress(bytes: Uint8Array): Uint8Array
  /** Throws where the bytes are damaged, cut, of another codec, or come to more than `bytesMax`. */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array
}
