import type * as Wasm from '@bokuweb/zstd-wasm'
import type { ByteCodec } from './byte-codec.ts'
import { tooLargeError } from './bounded-buffer.ts'

let opened: Promise<ByteCodec> | undefined

/** Returns the Zstandard codec. The WebAssembly module is loaded by the first call. */
export function openZstd(): Promise<ByteCodec> {
  opened ??= load()
  return opened
}

async function load(): Promise<ByteCodec> {
  const wasm = await import('@bokuweb/zstd-wasm')
  await wasm.init()
  return {
    compress: (bytes) => wasm.compress(Buffer.from(bytes)),
    decompress: (bytes, bytesMax) => decompress(wasm, bytes, bytesMax),
  }
}

const MAGIC = 0xfd2fb528

/** First estimate of the ratio when a frame does not declare its content size. Text rarely compresses better. */
const GUESS_FACTOR = 8
const GUESS_BYTES_MIN = 256 * 1024

/** The error code with which the library reports that the output buffer is too small. */
const TOO_SMALL = / -70$/

function decompress(wasm: typeof Wasm, bytes: Uint8Array, bytesMax: number): Uint8Array {
  const size = contentSize(bytes)
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

/**
 * Returns the content size that the frame header declares, or `undefined` when it declares none. Throws when the
 * bytes are not a Zstandard frame.
 */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) throw new Error('expected a Zstandard frame')
  const descriptor = bytes[4] as number
  const single = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  if (flag === 0 && !single) return undefined
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const width = 1 << flag
  if (at + width > bytes.length) throw new Error('expected Zstandard, got truncated bytes')
  if (flag === 0) return bytes[at]
  if (flag === 1) return view.getUint16(at, true) + 256
  return flag === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}
