import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { nameOf } from './aws.ts'
import { sendParts } from '../parts.ts'
import type { Requests } from '../requests.ts'

/** Parts of one object that are under way at once; with one that fills this bounds the memory of a stream to 40 MiB. */
const PARTS_AT_ONCE = 4
/** The limit of S3: an object of up to 78 GiB. */
const PARTS_MAX = 10_000

/** Where an upload goes. */
export interface UploadTarget {
  readonly client: S3Client
  readonly requests: Requests
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
    const sent = await sendAll(target, UploadId, parts)
    await complete(target, UploadId, sent)
    return sent.bytes
  } catch (error) {
    throw await aborted(target, UploadId, error)
  }
}

interface Sent {
  readonly bytes: number
  readonly parts: readonly CompletedPart[]
}

async function sendAll(target: UploadTarget, uploadId: string, parts: AsyncIterable<Buffer>): Promise<Sent> {
  const { client, requests, bucket, key } = target
  const done: CompletedPart[] = []
  const bytes = await sendParts(parts, PARTS_AT_ONCE, async (body, PartNumber) => {
    if (PartNumber > PARTS_MAX)
      throw new PipelineError('KD_STORE_FAILED', `the object needs more than ${PARTS_MAX} parts`, {
        bucket,
        key,
      })
    const { ETag } = await requests.retried(
      { operation: 'UploadPart', bucket, key, bytes: body.length },
      (abortSignal) =>
        client.send(
          new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumber, Body: body }),
          { abortSignal },
        ),
    )
    done.push({ PartNumber, ...(ETag === undefined ? {} : { ETag }) })
  })
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
