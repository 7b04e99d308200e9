import { PipelineError } from '../../core/errors.ts'
import type { GcsClient } from './gcs-client.ts'
import type { Requests } from '../requests.ts'

/** Describes the object that is uploaded and the client that uploads it. */
interface GcsUploadTarget {
  readonly client: GcsClient
  readonly requests: Requests
  readonly bucket: string
  /** Key in the bucket. */
  readonly key: string
}

/** The status of an upload that is not complete. */
const INCOMPLETE = 308
/** The status of the answer to a cancelled upload. */
const CANCELLED = 499

/**
 * Uploads a body as a resumable upload, one part after the other as Google requires, and returns its size in bytes. The
 * object becomes visible when the last part has arrived. A part whose response was lost is continued where the server
 * stopped. A failed upload is cancelled.
 * @throws KD_STORE_FAILED, KD_STORE_UNAVAILABLE, and the errors of the body itself
 */
export async function uploadResumable(
  target: GcsUploadTarget,
  parts: AsyncIterable<Buffer>,
): Promise<number> {
  const session = await begin(target)
  let offset = 0
  try {
    let held: Buffer | undefined
    // The last part must be marked as the last: each part is held back until the next one is known.
    for await (const part of parts) {
      if (held !== undefined) offset = await send(target, session, held, offset, false)
      held = part
    }
    return await send(target, session, held ?? Buffer.alloc(0), offset, true)
  } catch (error) {
    await cancel(target, session)
    throw error
  }
}

function begin({ client, requests, bucket, key }: GcsUploadTarget): Promise<string> {
  return requests.sendWithRetries({ operation: 'objects.insert', bucket, key }, async (signal) => {
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
      throw new PipelineError('KD_STORE_FAILED', 'the server returned no upload URL', { bucket, key })
    return session
  })
}

/** Sends a part that begins at `offset` and returns the offset of the next part. */
async function send(
  { client, requests, bucket, key }: GcsUploadTarget,
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
  await requests.sendWithRetries(request, async (signal) => {
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
    // An earlier attempt may have arrived completely or partly.
    if (attempts > 1) arrived = await put('*', Buffer.alloc(0))
    if (arrived < offset || arrived > end)
      throw new PipelineError('KD_STORE_FAILED', 'the server lost a part of the upload', { bucket, key })
    if (arrived < end) arrived = await put(`${arrived}-${end - 1}`, part.subarray(arrived - offset))
    if (arrived < end)
      throw new PipelineError('KD_STORE_UNAVAILABLE', 'a part of the upload arrived incompletely', {
        bucket,
        key,
      })
  })
  return end
}

/** Returns the number of bytes that a range such as `bytes=0-41` covers. */
function arrivedOf(range: string | null): number {
  const match = /^bytes=0-(\d+)$/.exec(range ?? '')
  return match === null ? 0 : Number(match[1]) + 1
}

/** Cancels an upload. Google deletes abandoned uploads after a week, so a failure here is ignored. */
async function cancel({ client, requests, bucket, key }: GcsUploadTarget, session: string): Promise<void> {
  await requests
    .sendOnce({ operation: 'objects.insert', bucket, key }, (signal) =>
      client.send({ method: 'DELETE', path: session, expected: [CANCELLED] }, signal),
    )
    .catch(() => undefined)
}
