import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import { messageOf, PipelineError } from '../core/errors.ts'
import { nameOf, type S3Requests } from './s3-requests.ts'

/** Size of a part of an upload; S3 wants at least 5 MiB of all but the last. */
export const PART_BYTES = 8 * 1024 * 1024
/** Parts of one object that are under way at once; with one that fills this bounds the memory of a stream to 40 MiB. */
const PARTS_AT_ONCE = 4
/** The limit of S3: an object of up to 78 GiB. */
const PARTS_MAX = 10_000

/** Where an upload goes. */
export interface UploadTarget {
  readonly client: S3Client
  readonly requests: S3Requests
  readonly bucket: string
  /** Key in the bucket. */
  readonly key: string
}

/**
 * Uploads a body in parts, at most four at once. Readers see the object when the last request is done; an upload that
 * fails is aborted. Returns the size in bytes.
 * @throws KD_STORE_FAILED, KD_STORE_UNAVAILABLE, and what the body itself throws.
 */
export async function uploadInParts(target: UploadTarget, parts: AsyncIterable<Buffer>): Promise<number> {
  const { client, requests, bucket, key } = target
  const where = { Bucket: bucket, Key: key }
  const { UploadId } = await requests.retried(
    { operation: 'CreateMultipartUpload', bucket, key },
    (abortSignal) => client.send(new CreateMultipartUploadCommand(where), { abortSignal }),
  )
  if (UploadId === undefined)
    throw new PipelineError('KD_STORE_FAILED', 'the server gave an upload no id', { bucket, key })
  try {
    const sent = await sendParts(target, UploadId, parts)
    await complete(target, UploadId, sent)
    return sent.bytes
  } catch (error) {
    throw await aborted(target, UploadId, error)
  }
}

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

interface Sent {
  readonly bytes: number
  readonly parts: readonly CompletedPart[]
}

async function sendParts(
  target: UploadTarget,
  uploadId: string,
  parts: AsyncIterable<Buffer>,
): Promise<Sent> {
  const { client, requests, bucket, key } = target
  const done: CompletedPart[] = []
  const underWay = new Set<Promise<void>>()
  const failed: unknown[] = []
  let bytes = 0
  let count = 0
  const send = async (body: Buffer, PartNumber: number): Promise<void> => {
    const { ETag } = await requests.retried(
      { operation: 'UploadPart', bucket, key, bytes: body.length },
      (abortSignal) =>
        client.send(
          new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumber, Body: body }),
          { abortSignal },
        ),
    )
    done.push({ PartNumber, ...(ETag === undefined ? {} : { ETag }) })
  }
  try {
    for await (const part of parts) {
      if (failed.length > 0) break
      if (count === PARTS_MAX)
        throw new PipelineError('KD_STORE_FAILED', `the object needs more than ${PARTS_MAX} parts`, {
          bucket,
          key,
        })
      bytes += part.length
      const sending = send(part, ++count)
        .catch((error: unknown) => {
          failed.push(error)
        })
        .finally(() => underWay.delete(sending))
      underWay.add(sending)
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay)
    }
  } finally {
    await Promise.all(underWay)
  }
  if (failed.length > 0) throw failed[0]
  return { bytes, parts: done.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)) }
}

async function complete(target: UploadTarget, UploadId: string, { parts, bytes }: Sent): Promise<void> {
  const { client, requests, bucket, key } = target
  const where = { Bucket: bucket, Key: key }
  let attempts = 0
  await requests.retried({ operation: 'CompleteMultipartUpload', bucket, key }, async (abortSignal) => {
    attempts++
    try {
      const MultipartUpload = { Parts: [...parts] }
      await client.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload }), {
        abortSignal,
      })
    } catch (error) {
      // Our first request may have been carried out although its answer was lost: then the upload is gone for this one.
      if (attempts === 1 || nameOf(error) !== 'NoSuchUpload') throw error
      const { ContentLength } = await client.send(new HeadObjectCommand(where), { abortSignal })
      if (ContentLength !== bytes) throw error
    }
  })
}

/** Aborts an upload and returns the error to throw: why it failed, and what is left behind should the abort fail too. */
async function aborted(target: UploadTarget, UploadId: string, error: unknown): Promise<unknown> {
  const { client, requests, bucket, key } = target
  try {
    await requests.retried({ operation: 'AbortMultipartUpload', bucket, key }, (abortSignal) =>
      client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }), { abortSignal }),
    )
    return error
  } catch (abortError) {
    if (!(error instanceof PipelineError)) return error
    const detail = `an upload failed and its parts are left in the bucket, since aborting it failed too: ${messageOf(abortError)}`
    return new PipelineError(error.code, detail, { bucket, key }, { cause: error })
  }
}
