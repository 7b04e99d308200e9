import { GCS_DIALECT, GcsClient, GcsError } from './gcs-client.ts'
import type { GcsStoreOptions } from './gcs-options.ts'
import { uploadResumable } from './gcs-upload.ts'
import { BucketPrefix } from '../bucket-prefix.ts'
import { checkKey, checkPrefix, compareKeys } from '../keys.ts'
import { bufferOf, PART_BYTES, planUpload } from '../parts.ts'
import { Requests } from '../requests.ts'
import { undefinedIfNotFound, type PutIfAbsentOutcome, type Store, type StoredObject } from '../store.ts'

const MULTIPART_BYTES_MIN = 16 * 1024 * 1024
const PAGE_KEYS = 1000

/** Describes an object with the requested fields of the JSON API. */
interface GcsObject {
  readonly name: string
  /** Integer as text. */
  readonly size?: string
  /** Time as RFC 3339 text. */
  readonly updated?: string
}

/** Stores objects below a prefix of a bucket in Google Cloud Storage. */
export class GcsStore implements Store {
  readonly uri: string
  readonly #client: GcsClient
  readonly #requests: Requests
  readonly #bucket: BucketPrefix
  readonly #multipartBytesMin: number

  /** `prefix` may be empty and neither begins nor ends with a slash; `uri` is the URI as the user wrote it. */
  constructor(
    bucket: string,
    prefix: string,
    options: GcsStoreOptions = {},
    uri = `gs://${bucket}/${prefix}`,
  ) {
    this.uri = uri
    this.#bucket = new BucketPrefix(bucket, prefix)
    this.#multipartBytesMin = Math.max(options.multipartBytesMin ?? MULTIPART_BYTES_MIN, PART_BYTES)
    this.#client = new GcsClient(options)
    this.#requests = new Requests(GCS_DIALECT, options)
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    if (range?.end !== undefined && range.end <= range.start)
      return this.#bucket.emptyRangeOf(key, await this.size(key))
    const headers: Record<string, string> =
      range === undefined
        ? {}
        : { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` }
    return this.#requests.sendWithRetries(this.#bucket.requestOf('objects.get', key), async (signal) => {
      const answer = await this.#client.send(
        { method: 'GET', path: this.#path(key), query: { alt: 'media' }, headers, expected: [416] },
        signal,
      )
      const bytes = new Uint8Array(await answer.arrayBuffer())
      if (answer.status === 416) return new Uint8Array(0)
      // A server may ignore the range and send the whole object.
      return range === undefined || answer.status === 206 ? bytes : bytes.subarray(range.start, range.end)
    })
  }

  async size(key: string): Promise<number | undefined> {
    checkKey(key)
    return undefinedIfNotFound(
      this.#requests.sendWithRetries(this.#bucket.requestOf('objects.get', key), async (signal) => {
        const answer = await this.#client.send(
          { method: 'GET', path: this.#path(key), query: { fields: 'size' } },
          signal,
        )
        return Number(((await answer.json()) as GcsObject).size ?? 0)
      }),
    )
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    let last = startAfter
    let pageToken: string | undefined
    do {
      const page = await this.#page(prefix, startAfter, pageToken)
      const objects = (page.items ?? [])
        .map(({ name, size, updated }) => ({
          key: name.slice(this.#bucket.prefix.length),
          bytes: Number(size ?? 0),
          modifiedMs: updated === undefined ? 0 : Date.parse(updated),
        }))
        // Google's listing includes the key to start after.
        .filter(({ key }) => key !== startAfter)
        .sort((a, b) => compareKeys(a.key, b.key))
      const [first] = objects
      if (first !== undefined && last !== undefined && compareKeys(first.key, last) <= 0)
        throw this.#bucket.orderErrorOf(first.key, last)
      last = objects.at(-1)?.key ?? last
      // Some tools create an empty object with a trailing slash for a folder.
      for (const object of objects) if (object.key !== '' && !object.key.endsWith('/')) yield object
      pageToken = page.nextPageToken
    } while (pageToken !== undefined && pageToken !== '')
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const upload = await planUpload(body, this.#multipartBytesMin)
    if ('parts' in upload) return { bytes: await uploadResumable(this.#target(key), upload.parts) }
    const { whole } = upload
    await this.#requests.sendWithRetries(
      this.#bucket.requestOf('objects.insert', key, whole.length),
      (signal) => this.#insert(key, whole, {}, signal),
    )
    return { bytes: whole.length }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    return this.#requests.putIfAbsent(
      this.#bucket.requestOf('objects.insert', key, body.length),
      (signal) => this.#insert(key, bufferOf(body), { ifGenerationMatch: '0' }, signal),
      (error) => error instanceof GcsError && error.status === 412,
    )
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await undefinedIfNotFound(
      this.#requests.sendWithRetries(this.#bucket.requestOf('objects.delete', key), async (signal) => {
        await this.#client.send({ method: 'DELETE', path: this.#path(key) }, signal)
      }),
    )
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #page(prefix: string, startAfter: string | undefined, pageToken: string | undefined) {
    return this.#requests.sendWithRetries(this.#bucket.requestOf('objects.list', prefix), async (signal) => {
      const answer = await this.#client.send(
        {
          method: 'GET',
          path: `/storage/v1/b/${encodeURIComponent(this.#bucket.name)}/o`,
          query: {
            prefix: this.#bucket.keyOf(prefix),
            maxResults: String(PAGE_KEYS),
            fields: 'items(name,size,updated),nextPageToken',
            ...(startAfter === undefined ? {} : { startOffset: this.#bucket.keyOf(startAfter) }),
            ...(pageToken === undefined ? {} : { pageToken }),
          },
        },
        signal,
      )
      return (await answer.json()) as { items?: readonly GcsObject[]; nextPageToken?: string }
    })
  }

  async #insert(
    key: string,
    body: Buffer,
    condition: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.#client.send(
      {
        method: 'POST',
        path: `/upload/storage/v1/b/${encodeURIComponent(this.#bucket.name)}/o`,
        query: { uploadType: 'media', name: this.#bucket.keyOf(key), fields: 'name', ...condition },
        headers: { 'content-type': 'application/octet-stream' },
        body,
      },
      signal,
    )
    await answer.arrayBuffer()
  }

  #path(key: string): string {
    return `/storage/v1/b/${encodeURIComponent(this.#bucket.name)}/o/${encodeURIComponent(this.#bucket.keyOf(key))}`
  }

  #target(key: string) {
    const { name: bucket } = this.#bucket
    return { client: this.#client, requests: this.#requests, bucket, key: this.#bucket.keyOf(key) }
  }
}
