import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { addAbortSignal, Readable } from 'node:stream'
import { PipelineError } from '../../core/errors.ts'
import { awsClientOptions, awsDialect, nameOf, statusOf, type AwsOptions } from './aws.ts'
import { checkKey, checkPrefix, compareKeys } from '../keys.ts'
import { PART_BYTES, bufferOf, uploadOf } from '../parts.ts'
import { PATIENCE, Requests, type Patience, type Persistence } from '../requests.ts'
import { uploadInParts } from './s3-upload.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from '../store.ts'

/** How S3 is reached; everything has a default. */
export interface S3StoreOptions extends AwsOptions, Persistence {
  /** The bucket in the path and not in the host name; default false. */
  readonly forcePathStyle?: boolean
  /** Objects of at least this size go up in parts of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}

const MULTIPART_BYTES_MIN = 16 * 1024 * 1024
const PAGE_KEYS = 1000

/** Objects in an S3 bucket below a prefix. The server must honour `If-None-Match: *` and page in byte order. */
export class S3Store implements Store {
  readonly uri: string
  readonly #client: S3Client
  readonly #requests: Requests
  readonly #bucket: string
  /** Empty, or with a slash at its end. */
  readonly #prefix: string
  readonly #multipartBytesMin: number

  /** `prefix` has no slash at its ends and may be empty; `uri` is how the user named the place. */
  constructor(
    bucket: string,
    prefix: string,
    options: S3StoreOptions = {},
    uri = `s3://${bucket}/${prefix}`,
  ) {
    this.uri = uri
    this.#bucket = bucket
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.#multipartBytesMin = Math.max(options.multipartBytesMin ?? MULTIPART_BYTES_MIN, PART_BYTES)
    this.#requests = new Requests(awsDialect('S3'), options)
    this.#client = clientOf(options, { ...PATIENCE, ...options.patience })
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    if (range?.end !== undefined && range.end <= range.start) return this.#nothingOf(key)
    const Range =
      range === undefined ? undefined : `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
    return this.#requests.retried(this.#request('GetObject', key), async (abortSignal) => {
      try {
        const output = await this.#client.send(
          new GetObjectCommand({ ...this.#where(key), ...(Range === undefined ? {} : { Range }) }),
          { abortSignal },
        )
        const bytes = await bytesOf(output, abortSignal)
        // A server may ignore the range and send everything.
        return range === undefined || output.ContentRange !== undefined
          ? bytes
          : bytes.subarray(range.start, range.end)
      } catch (error) {
        if (statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  size(key: string): Promise<number | undefined> {
    checkKey(key)
    return this.#requests.retried(this.#request('HeadObject', key), async (abortSignal) => {
      try {
        const output = await this.#client.send(new HeadObjectCommand(this.#where(key)), { abortSignal })
        return output.ContentLength ?? 0
      } catch (error) {
        // The answer has no body, so it cannot say whether the bucket is missing; every other request does.
        if (statusOf(error) === 404) return undefined
        throw error
      }
    })
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    const Prefix = this.#prefix + prefix
    let last = startAfter
    let ContinuationToken: string | undefined
    do {
      const from = {
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        ...(startAfter === undefined ? {} : { StartAfter: this.#prefix + startAfter }),
      }
      const page = await this.#requests.retried(this.#request('ListObjectsV2', prefix), (abortSignal) =>
        this.#client.send(
          new ListObjectsV2Command({ Bucket: this.#bucket, Prefix, MaxKeys: PAGE_KEYS, ...from }),
          { abortSignal },
        ),
      )
      const objects = (page.Contents ?? [])
        .map(({ Key = '', Size = 0, LastModified }) => ({
          key: Key.slice(this.#prefix.length),
          bytes: Size,
          modifiedMs: LastModified?.getTime() ?? 0,
        }))
        .sort((a, b) => compareKeys(a.key, b.key))
      const first = objects[0]?.key
      if (first !== undefined && last !== undefined && isBefore(first, last))
        throw this.#disorder(first, last)
      last = objects.at(-1)?.key ?? last
      // Some tools mark a folder by an empty object whose key ends with a slash.
      for (const object of objects) if (object.key !== '' && !object.key.endsWith('/')) yield object
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const upload = await uploadOf(body, this.#multipartBytesMin)
    if ('whole' in upload) return this.#putWhole(key, upload.whole)
    return { bytes: await uploadInParts(this.#target(key), upload.parts) }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    const put = new PutObjectCommand({ ...this.#where(key), Body: bufferOf(body), IfNoneMatch: '*' })
    return this.#requests.putIfAbsent(
      this.#request('PutObject', key, body.length),
      (abortSignal) => this.#client.send(put, { abortSignal }),
      (error) => statusOf(error) === 412,
    )
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await this.#requests.retried(this.#request('DeleteObject', key), async (abortSignal) => {
      try {
        await this.#client.send(new DeleteObjectCommand(this.#where(key)), { abortSignal })
      } catch (error) {
        if (nameOf(error) !== 'NoSuchKey') throw error
      }
    })
  }

  close(): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  async #putWhole(key: string, body: Buffer): Promise<{ readonly bytes: number }> {
    await this.#requests.retried(this.#request('PutObject', key, body.length), (abortSignal) =>
      this.#client.send(new PutObjectCommand({ ...this.#where(key), Body: body }), { abortSignal }),
    )
    return { bytes: body.length }
  }

  /** HTTP knows no empty range; whether the object is there must be asked all the same. */
  async #nothingOf(key: string): Promise<Uint8Array> {
    if ((await this.size(key)) !== undefined) return new Uint8Array(0)
    throw new PipelineError('KD_STORE_NOT_FOUND', 'nothing is stored here', {
      bucket: this.#bucket,
      key: this.#prefix + key,
    })
  }

  #where(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  #request(operation: string, key: string, bytes?: number) {
    const request = { operation, bucket: this.#bucket, key: this.#prefix + key }
    return bytes === undefined ? request : { ...request, bytes }
  }

  #target(key: string) {
    return { client: this.#client, requests: this.#requests, bucket: this.#bucket, key: this.#prefix + key }
  }

  #disorder(key: string, last: string): PipelineError {
    return new PipelineError(
      'KD_STORE_FAILED',
      'the server does not list in byte order of keys, or not from the key on that was asked for',
      {
        bucket: this.#bucket,
        key,
        after: last,
      },
    )
  }
}

/*
 * Some servers order pages by UTF-16 units and not by bytes. The two orders differ only where characters outside of the
 * basic plane are in keys, so never in a Delta log: such a page is taken as it comes.
 */
function isBefore(key: string, last: string): boolean {
  return compareKeys(key, last) <= 0 && key <= last
}

function clientOf(options: S3StoreOptions, patience: Patience): S3Client {
  return new S3Client({
    ...awsClientOptions(options, patience),
    // Bodies are signed as they are; extra checksums break uploads to some servers other than AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    forcePathStyle: options.forcePathStyle ?? false,
  })
}

async function bytesOf({ Body }: GetObjectCommandOutput, signal: AbortSignal): Promise<Uint8Array> {
  if (Body === undefined) return new Uint8Array(0)
  // The SDK's own abort ends with the headers.
  if (Body instanceof Readable) addAbortSignal(signal, Body)
  return Body.transformToByteArray()
}
