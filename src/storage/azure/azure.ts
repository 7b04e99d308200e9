import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { AZURE_DIALECT, azureErrorCodeOf, azureStatusOf } from './azure-client.ts'
import type { AzureStoreOptions } from './azure-options.ts'
import { BucketPrefix } from '../bucket-prefix.ts'
import { checkKey as checkAnyKey, checkPrefix, compareKeys } from '../keys.ts'
import { bufferOf, PART_BYTES, sendParts, planUpload } from '../parts.ts'
import { Requests, type StoreRequest } from '../requests.ts'
import { undefinedIfNotFound, type PutIfAbsentOutcome, type Store, type StoredObject } from '../store.ts'

const MULTIPART_BYTES_MIN = 16 * 1024 * 1024
/** Blocks of one object uploaded at once; together with the block being filled they bound the memory of a stream to 40 MiB. */
const BLOCKS_AT_ONCE = 4
/** Azure's limit of blocks, for objects of up to 390 GiB. */
const BLOCKS_MAX = 50_000
/** Azure's maximum page size. A listing cannot start at a key, so earlier pages are read and skipped. */
const PAGE_KEYS = 5000

/** Stores objects below a prefix of a container in Azure Blob Storage, also with a hierarchical namespace. */
export class AzureStore implements Store {
  readonly uri: string
  readonly #container: ContainerClient
  readonly #requests: Requests
  readonly #bucket: BucketPrefix
  readonly #multipartBytesMin: number

  /** `prefix` may be empty and neither begins nor ends with a slash; `uri` is the URI as the user wrote it. */
  constructor(container: ContainerClient, prefix: string, uri: string, options: AzureStoreOptions = {}) {
    this.uri = uri
    this.#container = container
    this.#bucket = new BucketPrefix(container.containerName, prefix, 'container')
    this.#multipartBytesMin = Math.max(options.multipartBytesMin ?? MULTIPART_BYTES_MIN, PART_BYTES)
    this.#requests = new Requests(AZURE_DIALECT, options)
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    if (range?.end !== undefined && range.end <= range.start)
      return this.#bucket.emptyRangeOf(key, await this.size(key))
    const count = range?.end === undefined ? undefined : range.end - range.start
    const request = this.#bucket.requestOf('GetBlob', key)
    return this.#requests.sendWithRetries(request, async (abortSignal) => {
      try {
        const answer = await this.#blob(key).download(range?.start, count, {
          abortSignal,
          maxRetryRequests: 0,
        })
        return await bytesOf(answer.readableStreamBody, abortSignal, request)
      } catch (error) {
        if (azureStatusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  async size(key: string): Promise<number | undefined> {
    checkKey(key)
    return undefinedIfNotFound(
      this.#requests.sendWithRetries(
        this.#bucket.requestOf('GetBlobProperties', key),
        async (abortSignal) => {
          const { contentLength, metadata } = await this.#blob(key).getProperties({ abortSignal })
          return isFolder(metadata) ? undefined : (contentLength ?? 0)
        },
      ),
    )
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    let last: string | undefined
    let continuationToken: string | undefined
    do {
      const page = await this.#page(prefix, continuationToken)
      const [first] = page.objects
      if (first !== undefined && last !== undefined && compareKeys(first.key, last) <= 0)
        throw new PipelineError('KD_STORE_FAILED', 'the server does not list keys in byte order', {
          container: this.#bucket.name,
          key: first.key,
          after: last,
        })
      last = page.objects.at(-1)?.key ?? last
      // Pages that end before the key to start after are skipped as a whole.
      if (startAfter === undefined || (last !== undefined && compareKeys(last, startAfter) > 0))
        for (const object of page.objects)
          if (startAfter === undefined || compareKeys(object.key, startAfter) > 0) yield object
      continuationToken = page.next
    } while (continuationToken !== undefined)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const upload = await planUpload(body, this.#multipartBytesMin)
    if ('parts' in upload) return { bytes: await this.#putInBlocks(key, upload.parts) }
    const { whole } = upload
    await this.#requests.sendWithRetries(
      this.#bucket.requestOf('PutBlob', key, whole.length),
      (abortSignal) => this.#blob(key).upload(whole, whole.length, { abortSignal }),
    )
    return { bytes: whole.length }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    const buffer = bufferOf(body)
    const conditions = { ifNoneMatch: '*' }
    return this.#requests.putIfAbsent(
      this.#bucket.requestOf('PutBlob', key, buffer.length),
      (abortSignal) => this.#blob(key).upload(buffer, buffer.length, { abortSignal, conditions }),
      isTaken,
    )
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await undefinedIfNotFound(
      this.#requests.sendWithRetries(this.#bucket.requestOf('DeleteBlob', key), (abortSignal) =>
        this.#blob(key).delete({ abortSignal, deleteSnapshots: 'include' }),
      ),
    )
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #page(
    prefix: string,
    continuationToken: string | undefined,
  ): Promise<{ readonly objects: readonly StoredObject[]; readonly next: string | undefined }> {
    const page = await this.#requests.sendWithRetries(
      this.#bucket.requestOf('ListBlobs', prefix),
      async (abortSignal) => {
        const listing = this.#container.listBlobsFlat({
          prefix: this.#bucket.keyOf(prefix),
          includeMetadata: true,
          abortSignal,
        })
        const token = continuationToken === undefined ? {} : { continuationToken }
        const next = await listing.byPage({ maxPageSize: PAGE_KEYS, ...token }).next()
        return next.done === true ? undefined : next.value
      },
    )
    const objects = (page?.segment.blobItems ?? [])
      // A hierarchical namespace lists its folders too, and some tools create empty blobs for folders.
      .filter(
        (item) => !isFolder(item.metadata) && item.name !== this.#bucket.prefix && !item.name.endsWith('/'),
      )
      .map(({ name, properties }) => ({
        key: name.slice(this.#bucket.prefix.length),
        bytes: properties.contentLength ?? 0,
        modifiedMs: properties.lastModified.getTime(),
      }))
      .sort((a, b) => compareKeys(a.key, b.key))
    const next = page?.continuationToken
    return { objects, next: next === '' ? undefined : next }
  }

  /*
   * Readers see the object when its block list is committed. The block ids are unique to this upload; Azure deletes the
   * blocks of a failed upload after a week, or with the next put of the key.
   */
  async #putInBlocks(key: string, parts: AsyncIterable<Buffer>): Promise<number> {
    const blob = this.#blob(key)
    const upload = randomUUID()
    const idOf = (number: number): string =>
      Buffer.from(`${upload}-${String(number).padStart(6, '0')}`).toString('base64')
    let count = 0
    const bytes = await sendParts(parts, BLOCKS_AT_ONCE, async (part, number) => {
      if (number > BLOCKS_MAX)
        throw new PipelineError('KD_STORE_FAILED', `the object needs more than ${BLOCKS_MAX} blocks`, {
          container: this.#bucket.name,
          key: this.#bucket.keyOf(key),
        })
      count = Math.max(count, number)
      await this.#requests.sendWithRetries(
        this.#bucket.requestOf('PutBlock', key, part.length),
        (abortSignal) => blob.stageBlock(idOf(number), part, part.length, { abortSignal }),
      )
    })
    const ids = Array.from({ length: count }, (_, index) => idOf(index + 1))
    await this.#requests.sendWithRetries(this.#bucket.requestOf('PutBlockList', key), (abortSignal) =>
      blob.commitBlockList(ids, { abortSignal }),
    )
    return bytes
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(this.#bucket.keyOf(key))
  }
}

/** Refuses a backslash in a key: Azure replaces it by a slash, and the object would be listed under another key. */
function checkKey(key: string): void {
  checkAnyKey(key)
  if (key.includes('\\'))
    throw new PipelineError('KD_STORE_FAILED', 'Azure does not support backslashes in keys', { key })
}

/** Azure answers 409 for an existing blob, some servers 412; other conflicts, such as an account being moved, are unclear. */
function isTaken(error: unknown): boolean {
  if (azureStatusOf(error) === 412) return true
  return azureErrorCodeOf(error) === 'BlobAlreadyExists'
}

function isFolder(metadata: Readonly<Record<string, string>> | undefined): boolean {
  return metadata?.['hdi_isfolder'] === 'true'
}

async function bytesOf(
  body: NodeJS.ReadableStream | undefined,
  signal: AbortSignal,
  request: StoreRequest,
): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0)
  try {
    if (body instanceof Readable) addAbortSignal(signal, body)
    const chunks: Uint8Array[] = []
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk)
    return new Uint8Array(Buffer.concat(chunks))
  } catch (error) {
    // A response that was cut off may succeed at the next attempt.
    throw new PipelineError('KD_STORE_UNAVAILABLE', `the response was cut off: ${messageOf(error)}`, {
      operation: request.operation,
      container: request.bucket,
      key: request.key,
    })
  }
}
