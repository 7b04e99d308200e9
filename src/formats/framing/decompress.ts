import { codecOf, CODEC_NAMES, openCodec } from '../../compression/compression.ts'
import type { CodecName } from '../../compression/compression.ts'
import type { ByteCodec } from '../../compression/byte-codec.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import type { Format } from '../format.ts'
import { withRewrittenValues, type RewrittenBatch } from './rewrite-values.ts'

/**
 * Describes the compression of each single value. `auto` detects the codec by magic bytes and leaves other values
 * unchanged.
 */
interface DecompressOptions {
  readonly decompress: 'auto' | CodecName
  /** Size limit of one decompressed value in bytes. */
  readonly decompressedBytesMax: number
}

/** Size limit of all decompressed values of one batch in bytes: their positions are 32-bit numbers. */
export const DECOMPRESSED_BATCH_BYTES_MAX = 1024 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Returns a format that decompresses each value before `inner` decodes it. A value that cannot be decompressed, or
 * exceeds a limit, is a dead letter. Dead letters keep the original value.
 */
export async function withDecompression(inner: Format, options: DecompressOptions): Promise<Format> {
  const names = options.decompress === 'auto' ? CODEC_NAMES : [options.decompress]
  const codecs = new Map(await Promise.all(names.map(async (name) => [name, await openCodec(name)] as const)))
  return withRewrittenValues(inner, (raw) => decompressValues(raw, codecs, options))
}

/**
 * Returns the batch with decompressed values. A value that cannot be decompressed is removed and becomes a dead
 * letter.
 */
function decompressValues(
  raw: Raw,
  codecs: ReadonlyMap<CodecName, ByteCodec>,
  { decompress, decompressedBytesMax }: DecompressOptions,
): RewrittenBatch {
  const values: (Uint8Array | undefined)[] = []
  const refused: number[] = []
  const deadLetters: DeadLetter[] = []
  let room = DECOMPRESSED_BATCH_BYTES_MAX
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
  // `auto` accepts uncompressed values; a named codec requires every value to be compressed.
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
