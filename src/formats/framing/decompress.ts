import { codecOf, CODEC_NAMES, openCodec } from '../../compression/compression.ts'
import type { CodecName } from '../../compression/compression.ts'
import type { ByteCodec } from '../../compression/byte-codec.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import type { Format } from '../format.ts'
import { rewritten, type Rewritten } from './rewritten.ts'

/** How the value of each record is compressed by itself; `auto` goes by the first bytes and leaves alone what has no mark. */
export interface DecompressOptions {
  readonly decompress: 'auto' | CodecName
  /** Bytes that one value may come to. */
  readonly decompressedBytesMax: number
}

/** Bytes that all values of one batch may come to together: the room that their positions have is 32 bits wide. */
export const BATCH_BYTES_MAX = 1024 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * A format whose values are compressed one by one. A value that cannot be decompressed, or comes to more than is
 * allowed, is a dead letter; dead letters keep the value as it came.
 */
export async function decompressed(inner: Format, options: DecompressOptions): Promise<Format> {
  const names = options.decompress === 'auto' ? CODEC_NAMES : [options.decompress]
  const codecs = new Map(await Promise.all(names.map(async (name) => [name, await openCodec(name)] as const)))
  return rewritten(inner, (raw) => decompressValues(raw, codecs, options))
}

/** The batch with its values decompressed; one that could not be is none in it, and a dead letter beside it. */
function decompressValues(
  raw: Raw,
  codecs: ReadonlyMap<CodecName, ByteCodec>,
  { decompress, decompressedBytesMax }: DecompressOptions,
): Rewritten {
  const values: (Uint8Array | undefined)[] = []
  const refused: number[] = []
  const deadLetters: DeadLetter[] = []
  let room = BATCH_BYTES_MAX
  for (let i = 0; i < raw.count; i++) {
    const value = valueOf(raw, i)
    const name = value === undefined || decompress !== 'auto' ? decompress : codecOf(value)
    const codec = name === undefined || name === 'auto' ? undefined : codecs.get(name)
    try {
      const plain =
        value === undefined ? undefined : decompressOne(value, codec, Math.min(decompressedBytesMax, room))
      room -= plain?.length ?? 0
      values.push(plain)
    } catch (thrown) {
      values.push(undefined)
      refused.push(i)
      deadLetters.push(deadLetterOf(raw, i, 'decode', `${String(name)}: ${messageOf(thrown)}`))
    }
  }
  const { message, framed } = originOf(raw)
  // Taken as it is by `auto`; a named codec asks for all values to be compressed.
  const codec = decompress === 'auto' ? undefined : codecs.get(decompress)
  const origin = {
    message,
    framed: (i: number, part: Uint8Array) => framed(i, codec?.compress(part) ?? part),
  }
  return { raw: { ...withValues(raw, values), origin }, refused, deadLetters }
}

function decompressOne(value: Uint8Array, codec: ByteCodec | undefined, bytesMax: number): Uint8Array {
  return codec === undefined ? value : codec.decompress(value, bytesMax)
}

function withValues(raw: Raw, values: readonly (Uint8Array | undefined)[]): Raw {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + (value?.length ?? 0) + 1, 0))
  const valueStart = new Int32Array(raw.count).fill(-1)
  const valueEnd = new Int32Array(raw.count).fill(-1)
  let at = 0
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue
    bytes.set(value, at)
    valueStart[i] = at
    at += value.length
    valueEnd[i] = at
    bytes[at++] = NEWLINE
  }
  return { ...raw, bytes: bytes.subarray(0, at), valueStart, valueEnd }
}
