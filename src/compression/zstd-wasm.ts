import type * as Wasm from '@bokuweb/zstd-wasm'
import type { ByteCodec } from './byte-codec.ts'
import { tooLargeError } from './bounded-buffer.ts'
import { zstdContentSizeOf } from './zstd-frame.ts'

let loaded: Promise<ByteCodec> | undefined

/** Loads the Zstandard codec of a WebAssembly module once, for a Node that has none built in. */
export function loadZstdWasm(): Promise<ByteCodec> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<ByteCodec> {
  const wasm = await import('@bokuweb/zstd-wasm')
  await wasm.init()
  return {
    compress: (bytes, speed) =>
      wasm.compress(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        speed === 'fast' ? 1 : undefined,
      ),
    decompress: (bytes, bytesMax) => decompress(wasm, bytes, bytesMax),
  }
}

/** First estimate of the ratio when a frame does not declare its content size. Text rarely compresses better. */
const GUESS_FACTOR = 8
const GUESS_BYTES_MIN = 256 * 1024

/** The error code with which the library reports that the output buffer is too small. */
const TOO_SMALL = / -70$/

function decompress(wasm: typeof Wasm, bytes: Uint8Array, bytesMax: number): Uint8Array {
  const size = zstdContentSizeOf(bytes)
  // The library allocates this size before it reads any data, so the sender must not choose it.
  if (size !== undefined && size > bytesMax) throw tooLargeError(bytesMax)
  let room = Math.min(bytesMax, Math.max(GUESS_BYTES_MIN, GUESS_FACTOR * bytes.length))
  for (;;) {
    try {
      return wasm.decompress(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        defaultHeapSize: room,
      })
    } catch (error) {
      const known = size !== undefined
      if (!(error instanceof Error) || !TOO_SMALL.test(error.message))
        throw new Error('expected Zstandard, got damaged or truncated bytes', { cause: error })
      if (known) throw new Error('expected one Zstandard frame, got several', { cause: error })
      if (room === bytesMax) throw tooLargeError(bytesMax)
      room = Math.min(bytesMax, room * GUESS_FACTOR)
    }
  }
}
