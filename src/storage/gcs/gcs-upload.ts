import { PipelineError } from '../../core/errors.ts'
import type { GcsClient } from './gcs-client.ts'
import type { Requests } from '../requests.ts'

/** Where an upload goes. */
export interface GcsTarget {
  readonly client: GcsClient
  readonly requests: Requests
  readonly bucket: string
  /** Key in the bucket. */
  readonly key: string
}

/** The status with which Google says that an upload goes on. */
const INCOMPLETE = 308
/** What Google answers to the end of an upload that is called off. */
const CALLED_OFF = 499

/**
 * Uploads a body in parts, one after the other as Google wants them; readers see the object when the last has arrived.
 * A part whose answer was lost is sent again from where the server has got to. An upload that fails is called off.
 * Returns the size in bytes.
 * @throws KD_STORE_FAILED, KD_STORE_UNAVAILABLE, and what the body itself throws.
 */
export async function uploadInParts(target: GcsTarget, parts: AsyncIterable<Buffer>): Promise<number> {
  const session = await begin(target)
  let offset = 0
  try {
    let held: Buffer | undefined
    // The last part must say that it is the last: one is held back until the next is there.
    for await (const part of parts) {
      if (held !== undefined) offset = await send(target, session, held, offset, false)
      held = part
    }
    return await send(target, session, held ?? Buffer.alloc(0), offset, true)
  } catch (error) {
    await callOff(target, session)
    throw error
  }
}

function begin({ client, requests, bucket, key }: GcsTarget): Promise<string> {
  return requests.retried({ operation: 'objects.insert', bucket, key }, async (signal) => {
    const answer = await client.send(
      {
        method: 'POST',
        path: `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`,
        query: { uploadType: 'resumable', name: key },
      },
      signal,
    )
    await answer.arrayBuffer()
    const session = answer.headers.get('location')
    if (session === null)
      throw new PipelineError('KD_STORE_FAILED', 'the server gave an upload no address', { bucket, key })
    return session
  })
}

/** Sends a part that begins at `offset` and returns where the next begins. */
async function send(
  { client, requests, bucket, key }: GcsTarget,
  session: string,
  part: Buffer,
  offset: number,
  isLast: boolean,
): Promise<number> {
  const end = offset + part.length
  const total = isLast ? String(end) : '*'
  let arrived = offset
  let attempts = 0
  const request = { operation: 'objects.insert', bucket, key, bytes: part.length }
  await requests.retried(request, async (signal) => {
    attempts++
    const put = async (range: string, body: Buffer): Promise<number> => {
      const answer = await client.send(
        {
          method: 'PUT',
          path: session,
          headers: { 'content-range': `bytes ${range}/${total}` },
          body,
          expected: [INCOMPLETE],
        },
        signal,
      )
      await answer.arrayBuffer()
      return answer.status === INCOMPLETE ? arrivedOf(answer.headers.get('range')) : end
    }
    // An earlier attempt may have arrived in whole or in part.
    if (attempts > 1) arrived = await put('*', Buffer.alloc(0))
    if (arrived < offset || arrived > end)
      throw new PipelineError('KD_STORE_FAILED', 'the server has lost a part of an upload', { bucket, key })
    if (arrived < end) arrived = await put(`${arrived}-${end - 1}`, part.subarray(arrived - offset))
    if (arrived < end)
      throw new PipelineError('KD_STORE_UNAVAILABLE', 'a part of an upload has not arrived whole', {
        bucket,
        key,
      })
  })
  return end
}

/** How many bytes `bytes=0-41` says. */
function arrivedOf(range: string | null): number {
  const match = /^bytes=0-(\d+)$/.exec(range ?? '')
  return match === null ? 0 : Number(match[1]) + 1
}

/** What is called off is gone at once; else Google forgets it after a week, so that a failure here changes nothing. */
async function callOff({ client, requests, bucket, key }: GcsTarget, session: string): Promise<void> {
  await requests
    .once({ operation: 'objects.insert', bucket, key }, (signal) =>
      client.send({ method: 'DELETE', path: session, expected: [CALLED_OFF] }, signal),
    )
    .catch(() => undefined)
}
