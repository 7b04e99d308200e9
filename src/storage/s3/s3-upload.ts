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
import { awsErrorNameOf } from './aws.ts'
import { sendParts } from '../parts.ts'
import type { Requests } from '../requests.ts'

/** Parts of one object uploaded at once; together with the part being filled they bound the memory of a stream to 40 MiB. */
const PARTS_AT_ONCE = 4
/** S3's limit of parts, for objects of up to 78 GiB. */
const PARTS_MAX = 10_000

/** Describes the object that is uploaded and the client that uploads it. */
interface S3UploadTarget {
  readonly client: S3Client
  readonly requests: Requests
  readonly bucket: string
  /** Key in the bucket. */
  readonly key: string
}

/**
 * Uploads a body as a multipart upload, at most four parts at once, and returns its size in bytes. The object becomes
 * visible with the last request; a failed upload is aborted.
 * @throws KD_STORE_FAILED, KD_STORE_UNAVAILABLE, and the errors of the body itself
 */
export async function uploadMultipart(target: S3UploadTarget, parts: AsyncIterable<Buffer>): Promise<number> {
  const { client, requests, bucket, key } = target
  const where = { Bucket: bucket, Key: key }
  const { UploadId } = await requests.sendWithRetries(
    { operation: 'CreateMultipartUpload', bucket, key },
    (abortSignal) => client.send(new CreateMultipartUploadCommand(where), { abortSignal }),
  )
  if (UploadId === undefined)
    throw new PipelineError('KD_STORE_FAILED', 'the server returned no upload id', { bucket, key })
  try {
    const sent = await sendAll(target, UploadId, parts)
    await complete(target, UploadId, sent)
    return sent.bytes
  } catch (error) {
    throw await abort(target, UploadId, error)
  }
}

interface Sent {
  readonly bytes: number
  readonly parts: readonly CompletedPart[]
}

async function sendAll(
  target: S3UploadTarget,
  uploadId: string,
  parts: AsyncIterable<Buffer>,
): Promise<Sent> {
  const { client, requests, bucket, key } = target
  const done: CompletedPart[] = []
  const bytes = await sendParts(parts, PARTS_AT_ONCE, async (body, PartNumber) => {
    if (PartNumber > PARTS_MAX)
      throw new PipelineError('KD_STORE_FAILED', `the object needs more than ${PARTS_MAX} parts`, {
        bucket,
        key,
      })
    const { ETag } = await requests.sendWithRetries(
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

async function complete(target: S3UploadTarget, UploadId: string, { parts, bytes }: Sent): Promise<void> {
  const { client, requests, bucket, key } = target
  const where = { Bucket: bucket, Key: key }
  let attempts = 0
  await requests.sendWithRetries(
    { operation: 'CompleteMultipartUpload', bucket, key },
    async (abortSignal) => {
      attempts++
      try {
        const MultipartUpload = { Parts: [...parts] }
        await client.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload }), {
          abortSignal,
        })
      } catch (error) {
        // The first request may have succeeded although its response was lost: then the upload no longer exists.
        if (attempts === 1 || awsErrorNameOf(error) !== 'NoSuchUpload') throw error
        const { ContentLength } = await client.send(new HeadObjectCommand(where), { abortSignal })
        if (ContentLength !== bytes) throw error
      }
    },
  )
}

/** Aborts an upload and returns the error to throw, which mentions the remaining parts if the abort fails too. */
async function abort(target: S3UploadTarget, UploadId: string, error: unknown): Promise<unknown> {
  const { client, requests, bucket, key } = target
  try {
    await requests.sendWithRetries({ operation: 'AbortMultipartUpload', bucket, key }, (abortSignal) =>
      client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }), { abortSignal }),
    )
    return error
  } catch (abortError) {
    if (!(error instanceof PipelineError)) return error
    const detail = `an upload failed, and its parts remain in the bucket because aborting it failed too: ${messageOf(abortError)}`
    return new PipelineError(error.code, detail, { bucket, key }, { cause: error })
  }
}
