import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { randomUUID } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { AZURE_DIALECT, azureCodeOf, statusOf } from './azure-client.ts'
import type { AzureStoreOptions } from './azure-options.ts'
import { checkKey as checkAnyKey, checkPrefix, compareKeys } from '../keys.ts'
import { bufferOf, PART_BYTES, sendParts, uploadOf } from '../parts.ts'
import { Requests, type StoreRequest } from '../requests.ts'
import { orAbsent, type PutIfAbsentOutcome, type Store, type StoredObject } from '../store.ts'

const MULTIPART_BYTES_MIN = 16 * 1024 * 1024
/** Blocks of one object that are under way at once; with one that fills this bounds the memory of a stream to 40 MiB. */
const BLOCKS_AT_ONCE = 4
/** The limit of Azure: an object of up to 390 GiB. */
const BLOCKS_MAX = 50_000
/** The most that Azure lists at once. It cannot begin a listing at a key, so what comes before is passed over in pages. */
const PAGE_KEYS = 5000

/** Objects in a container of Azure Blob Storage below a prefix; also where the account has a hierarchical namespace. */
export class AzureStore implements Store {
  readonly uri: string
  readonly #container: ContainerClient
  readonly #requests: Requests
  /** Empty, or with a slash at its end. */
  readonly #prefix: string
  readonly #multipartBytesMin: number

  /** `prefix` has no slash at its ends and may be empty; `uri` is how the user named the place. */
  constructor(container: ContainerClient, prefix: string, uri: string, options: AzureStoreOptions = {}) {
    this.uri = uri
    this.#container = container
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.#multipartBytesMin = Math.max(options.multipartBytesMin ?? MULTIPART_BYTES_MIN, PART_BYTES)
    this.#requests = new Requests(AZURE_DIALECT, options)
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    if (range?.end !== undefined && range.end <= range.start) return this.#nothingOf(key)
    const count = range?.end === undefined ? undefined : range.end - range.start
    const request = this.#request('GetBlob', key)
    return this.#requests.retried(request, async (abortSignal) => {
      try {
        const answer = await this.#blob(key).download(range?.start, count, {
          abortSignal,
          maxRetryRequests: 0,
        })
        return await bytesOf(answer.readableStreamBody, abortSignal, request)
      } catch (error) {
        if (statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  async size(key: string): Promise<number | undefined> {
    checkKey(key)
    return orAbsent(
      this.#requests.retried(this.#request('GetBlobProperties', key), async (abortSignal) => {
        const { contentLength, metadata } = await this.#blob(key).getProperties({ abortSignal })
        return isFolder(metadata) ? undefined : (contentLength ?? 0)
      }),
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
        throw new PipelineError('KD_STORE_FAILED', 'the server does not list in byte order of keys', {
          container: this.#container.containerName,
          key: first.key,
          after: last,
        })
      last = page.objects.at(-1)?.key ?? last
      // Whole pages before the key to start after are passed over by their last key.
      if (startAfter === undefined || (last !== undefined && compareKeys(last, startAfter) > 0))
        for (const object of page.objects)
          if (startAfter === undefined || compareKeys(object.key, startAfter) > 0) yield object
      continuationToken = page.next
    } while (continuationToken !== undefined)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const upload = await uploadOf(body, this.#multipartBytesMin)
    if ('parts' in upload) return { bytes: await this.#putInBlocks(key, upload.parts) }
    const { whole } = upload
    await this.#requests.retried(this.#request('PutBlob', key, whole.length), (abortSignal) =>
      this.#blob(key).upload(whole, whole.length, { abortSignal }),
    )
    return { bytes: whole.length }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    const buffer = bufferOf(body)
    const conditions = { ifNoneMatch: '*' }
    return this.#requests.putIfAbsent(
      this.#request('PutBlob', key, buffer.length),
      (abortSignal) => this.#blob(key).upload(buffer, buffer.length, { abortSignal, conditions }),
      isTaken,
    )
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    await orAbsent(
      this.#requests.retried(this.#request('DeleteBlob', key), (abortSignal) =>
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
    const page = await this.#requests.retried(this.#request('ListBlobs', prefix), async (abortSignal) => {
      const listing = this.#container.listBlobsFlat({
        prefix: this.#prefix + prefix,
        includeMetadata: true,
        abortSignal,
      })
      const token = continuationToken === undefined ? {} : { continuationToken }
      const next = await listing.byPage({ maxPageSize: PAGE_KEYS, ...token }).next()
      return next.done === true ? undefined : next.value
    })
    const objects = (page?.segment.blobItems ?? [])
      // A hierarchical namespace lists its folders too, and some tools mark them by empty blobs.
      .filter((item) => !isFolder(item.metadata) && item.name !== this.#prefix && !item.name.endsWith('/'))
      .map(({ name, properties }) => ({
        key: name.slice(this.#prefix.length),
        bytes: properties.contentLength ?? 0,
        modifiedMs: properties.lastModified.getTime(),
      }))
      .sort((a, b) => compareKeys(a.key, b.key))
    const next = page?.continuationToken
    return { objects, next: next === '' ? undefined : next }
  }

  /*
   * Readers see the object when its list of blocks is committed. The ids are of this upload alone; blocks of an upload
   * that fails are forgotten by Azure after a week, or with the next put of the key.
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
          container: this.#container.containerName,
          key: this.#prefix + key,
        })
      count = Math.max(count, number)
      await this.#requests.retried(this.#request('PutBlock', key, part.length), (abortSignal) =>
        blob.stageBlock(idOf(number), part, part.length, { abortSignal }),
      )
    })
    const ids = Array.from({ length: count }, (_, index) => idOf(index + 1))
    await this.#requests.retried(this.#request('PutBlockList', key), (abortSignal) =>
      blob.commitBlockList(ids, { abortSignal }),
    )
    return bytes
  }

  /** HTTP knows no empty range; whether the object is there must be asked all the same. */
  async #nothingOf(key: string): Promise<Uint8Array> {
    if ((await this.size(key)) !== undefined) return new Uint8Array(0)
    throw new PipelineError('KD_STORE_NOT_FOUND', 'nothing is stored here', {
      container: this.#container.containerName,
      key: this.#prefix + key,
    })
  }

  #blob(key: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(this.#prefix + key)
  }

  #request(operation: string, key: string, bytes?: number): StoreRequest {
    const request = { operation, bucket: this.#container.containerName, key: this.#prefix + key }
    return bytes === undefined ? request : { ...request, bytes }
  }
}

/** Azure takes a backslash for a slash: such a key would come back as another one. */
function checkKey(key: string): void {
  checkAnyKey(key)
  if (key.includes('\\'))
    throw new PipelineError('KD_STORE_FAILED', 'Azure keeps no backslash in a key', { key })
}

/** Azure says so by 409, some servers by 412; other conflicts, such as an account that is being moved, do not tell. */
function isTaken(error: unknown): boolean {
  if (statusOf(error) === 412) return true
  return azureCodeOf(error) === 'BlobAlreadyExists'
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
    // Whatever broke off an answer that had begun may be over at the next attempt.
    throw new PipelineError('KD_STORE_UNAVAILABLE', `the answer broke off: ${messageOf(error)}`, {
      operation: request.operation,
      container: request.bucket,
      key: request.key,
    })
  }
}
