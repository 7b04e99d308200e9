/** Size of a part of an upload; S3 wants at least 5 MiB of all but the last, Google a multiple of 256 KiB. */
export const PART_BYTES = 8 * 1024 * 1024

/** Cuts chunks of any size into parts of `PART_BYTES`; what is yielded is not touched again. */
export async function* partsOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterable<Buffer> {
  let part = Buffer.allocUnsafe(PART_BYTES)
  let filled = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      const count = Math.min(chunk.length - taken, PART_BYTES - filled)
      part.set(chunk.subarray(taken, taken + count), filled)
      taken += count
      filled += count
      if (filled === PART_BYTES) {
        yield part
        part = Buffer.allocUnsafe(PART_BYTES)
        filled = 0
      }
    }
  }
  if (filled > 0) yield part.subarray(0, filled)
}

/** A body that goes up at once, or one that is worth an upload in parts. */
export type Upload = { readonly whole: Buffer } | { readonly parts: AsyncIterable<Buffer> }

/**
 * How a body goes up: at once below `multipartBytesMin`, else in parts. Nobody knows how long a stream is: up to that
 * many bytes of it are held until it ends or is worth the parts.
 */
export async function uploadOf(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  multipartBytesMin: number,
): Promise<Upload> {
  if (body instanceof Uint8Array)
    return body.length < multipartBytesMin ? { whole: bufferOf(body) } : { parts: slicesOf(body) }
  const parts = partsOf(body)[Symbol.asyncIterator]()
  const held: Buffer[] = []
  let bytes = 0
  while (bytes < multipartBytesMin) {
    const next = await parts.next()
    if (next.done === true) return { whole: Buffer.concat(held) }
    held.push(next.value)
    bytes += next.value.length
  }
  return { parts: chained(held, parts) }
}

/** A view of the same bytes. */
export function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

/** Views of a body, each one part. */
async function* slicesOf(body: Uint8Array): AsyncIterable<Buffer> {
  const buffer = bufferOf(body)
  for (let start = 0; start < buffer.length; start += PART_BYTES)
    yield await Promise.resolve(buffer.subarray(start, start + PART_BYTES))
}

async function* chained(held: Buffer[], rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  try {
    for (let part = held.shift(); part !== undefined; part = held.shift()) yield part
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/**
 * Sends parts as they come, at most `atOnceMax` at a time, numbered from 1. Resolves with their sizes added up once
 * all are sent; throws the first failure once nothing is under way any more, and what `parts` itself throws.
 */
export async function sendParts(
  parts: AsyncIterable<Buffer>,
  atOnceMax: number,
  send: (part: Buffer, number: number) => Promise<void>,
): Promise<number> {
  const underWay = new Set<Promise<void>>()
  const failed: unknown[] = []
  let bytes = 0
  let count = 0
  try {
    for await (const part of parts) {
      if (failed.length > 0) break
      bytes += part.length
      const sending = send(part, ++count)
        .catch((error: unknown) => {
          failed.push(error)
        })
        .finally(() => underWay.delete(sending))
      underWay.add(sending)
      if (underWay.size >= atOnceMax) await Promise.race(underWay)
    }
  } finally {
    await Promise.all(underWay)
  }
  if (failed.length > 0) throw failed[0]
  return bytes
}
