/** Size of a part of an upload; S3 requires at least 5 MiB for all parts but the last, Google a multiple of 256 KiB. */
export const PART_BYTES = 8 * 1024 * 1024

/** Divides chunks of any size into parts of `PART_BYTES`; yielded buffers are not reused. */
async function* cutIntoParts(
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

/** Holds a body for one request (`whole`) or for an upload in parts. */
type Upload = { readonly whole: Buffer } | { readonly parts: AsyncIterable<Buffer> }

/**
 * Decides whether a body is uploaded in one request (below `multipartBytesMin`) or in parts. The length of a stream is
 * unknown, so up to `multipartBytesMin` bytes of it are buffered.
 */
export async function planUpload(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  multipartBytesMin: number,
): Promise<Upload> {
  if (body instanceof Uint8Array)
    return body.length < multipartBytesMin ? { whole: bufferOf(body) } : { parts: slicesOf(body) }
  const parts = cutIntoParts(body)[Symbol.asyncIterator]()
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

/** Returns a Buffer that shares the bytes of `body`. */
export function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

/** Yields views of a body, one per part. */
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
 * Sends parts, numbered from 1, with at most `atOnceMax` requests at a time. Resolves with the sum of their sizes when all
 * are sent; throws the first failure when no request is under way any more, and the errors of `parts` itself.
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
