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
import { awsClientOptions, awsDialect, awsErrorNameOf, awsStatusOf } from './aws.ts'
import { BucketPrefix } from '../bucket-prefix.ts'
import { checkKey, checkPrefix, compareKeys } from '../keys.ts'
import { PART_BYTES, bufferOf, planUpload } from '../parts.ts'
import { DEFAULT_STORE_RETRY_POLICY, Requests, type StoreRetryPolicy } from '../requests.ts'
import type { S3StoreOptions } from './s3-options.ts'
import { uploadMultipart } from './s3-upload.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from '../store.ts'

const MULTIPART_BYTES_MIN = 16 * 1024 * 1024
const PAGE_KEYS = 1000

/** Stores objects below a prefix of an S3 bucket. The server must support `If-None-Match: *` and list in byte order. */
export class S3Store implements Store {
  readonly uri: string
  readonly #client: S3Client
  readonly #requests: Requests
  readonly #bucket: BucketPrefix
  readonly #multipartBytesMin: number

  /** `prefix` may be empty and neither begins nor ends with a slash; `uri` is the URI as the user wrote it. */
  constructor(
    bucket: string,
    prefix: string,
    options: S3StoreOptions = {},
    uri = `s3://${bucket}/${prefix}`,
  ) {
    this.uri = uri
    this.#bucket = new BucketPrefix(bucket, prefix)
    this.#multipartBytesMin = Math.max(options.multipartBytesMin ?? MULTIPART_BYTES_MIN, PART_BYTES)
    this.#requests = new Requests(awsDialect('S3'), options)
    this.#client = clientOf(options, { ...DEFAULT_STORE_RETRY_POLICY, ...options.retryPolicy })
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    if (range?.end !== undefined && range.end <= range.start)
      return this.#bucket.emptyRangeOf(key, await this.size(key))
    const Range =
      range === undefined ? undefined : `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
    return this.#requests.sendWithRetries(this.#bucket.requestOf('GetObject', key), async (abortSignal) => {
      try {
        const output = await this.#client.send(
          new GetObjectCommand({ ...this.#where(key), ...(Range === undefined ? {} : { Range }) }),
          { abortSignal },
        )
        const bytes = await bytesOf(output, abortSignal)
        // A server may ignore the range and send the whole object.
        return range === undefined || output.ContentRange !== undefined
          ? bytes
          : bytes.subarray(range.start, range.end)
      } catch (error) {
        if (awsStatusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  size(key: string): Promise<number | undefined> {
    checkKey(key)
    return this.#requests.sendWithRetries(this.#bucket.requestOf('HeadObject', key), async (abortSignal) => {
      try {
        const output = await this.#client.send(new HeadObjectCommand(this.#where(key)), { abortSignal })
        return output.ContentLength ?? 0
      } catch (error) {
        // The response has no body and cannot say that the bucket is missing; every other request does.
        if (awsStatusOf(error) === 404) return undefined
        throw error
      }
    })
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    const Prefix = this.#bucket.keyOf(prefix)
    let last = startAfter
    let ContinuationToken: string | undefined
    do {
      const from = {
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        ...(startAfter === undefined ? {} : { StartAfter: this.#bucket.keyOf(startAfter) }),
      }
      const page = await this.#requests.sendWithRetries(
        this.#bucket.requestOf('ListObjectsV2', prefix),
        (abortSignal) =>
          this.#client.send(
            new ListObjectsV2Command({ Bucket: this.#bucket.name, Prefix, MaxKeys: PAGE_KEYS, ...from }),
            { abortSignal },
          ),
      )
      const objects = (page.Contents ?? [])
        .map(({ Key = '', Size = 0, LastModified }) => ({
          key: Key.slice(this.#bucket.prefix.length),
          bytes: Size,
          modifiedMs: LastModified?.getTime() ?? 0,
        }))
        .sort((a, b) => compareKeys(a.key, b.key))
      const first = objects[0]?.key
      if (first !== undefined && last !== undefined && isBefore(first, last))
        throw this.#bucket.orderErrorOf(first, last)
      last = objects.at(-1)?.key ?? last
      // Some tools create an empty object with a trailing slash for a folder.
      for (const object of objects) if (object.key !== '' && !object.key.endsWith('/')) yield object
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const upload = await planUpload(body, this.#multipartBytesMin)
    if ('whole' in upload) return this.#putWhole(key, upload.whole)
    return { bytes: await uploadMultipart(this.#target(key), upload.parts) }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    const put = new PutObjectCommand({ ...this.#where(key), Body: bufferOf(body), IfNoneMatch: '*' })
    return this.#requests.putIfAbsent(
      this.#bucket.requestOf('PutObject', key, body.length),
      (abortSignal) => this.#client.send(put, { abortSignal }),
      (error) => awsStatusOf(error) === 412,
    )
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await this.#requests.sendWithRetries(this.#bucket.requestOf('DeleteObject', key), async (abortSignal) => {
      try {
        await this.#client.send(new DeleteObjectCommand(this.#where(key)), { abortSignal })
      } catch (error) {
        if (awsErrorNameOf(error) !== 'NoSuchKey') throw error
      }
    })
  }

  close(): Promise<void> {
    this.#client.destroy()
    return Promise.resolve()
  }

  async #putWhole(key: string, body: Buffer): Promise<{ readonly bytes: number }> {
    await this.#requests.sendWithRetries(
      this.#bucket.requestOf('PutObject', key, body.length),
      (abortSignal) =>
        this.#client.send(new PutObjectCommand({ ...this.#where(key), Body: body }), { abortSignal }),
    )
    return { bytes: body.length }
  }

  #where(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket.name, Key: this.#bucket.keyOf(key) }
  }

  #target(key: string) {
    const { name: bucket } = this.#bucket
    return { client: this.#client, requests: this.#requests, bucket, key: this.#bucket.keyOf(key) }
  }
}

/*
 * Some servers order pages by UTF-16 code units instead of bytes. The orders differ only for keys with characters outside
 * the basic multilingual plane, so never in a Delta log: both orders are accepted.
 */
function isBefore(key: string, last: string): boolean {
  return compareKeys(key, last) <= 0 && key <= last
}

function clientOf(options: S3StoreOptions, retryPolicy: StoreRetryPolicy): S3Client {
  return new S3Client({
    ...awsClientOptions(options, retryPolicy),
    // Additional checksums break uploads to some servers other than AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    forcePathStyle: options.forcePathStyle ?? false,
  })
}

async function bytesOf({ Body }: GetObjectCommandOutput, signal: AbortSignal): Promise<Uint8Array> {
  if (Body === undefined) return new Uint8Array(0)
  // The abort signal of the SDK applies only until the headers have arrived.
  if (Body instanceof Readable) addAbortSignal(signal, Body)
  return Body.transformToByteArray()
}
