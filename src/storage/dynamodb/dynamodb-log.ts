import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { CommitEntries, CommitEntry } from './dynamodb-entries.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from '../store.ts'

const LOG = '_delta_log/'
/** Maximum attempts to copy the file of an entry into `_delta_log`. */
const COPIES_MAX = 4
/** Time for which another writer may finish its own commit, in milliseconds, and number of checks in that time. */
const GRACE_MS = 1000
const GRACE_LOOKS = 5
/** The status of a request that the server does not support. */
const NOT_IMPLEMENTED = 501

/** Describes a commit file of a Delta table in the store. */
interface CommitFile {
  /** Key of the table's root: empty or ends with a slash. */
  readonly root: string
  /** URI of the table, which all writers must write in the same way. */
  readonly tablePath: string
  readonly fileName: string
  readonly version: bigint
}

/**
 * Wraps a store and coordinates Delta commits through DynamoDB, by the protocol of delta-spark's `S3DynamoDBLogStore`, so
 * that several engines can write to one table in a bucket without conditional puts. All other requests go to the wrapped
 * store unchanged.
 *
 * 1. The commit is written to a temporary file.
 * 2. An entry for its version is created in DynamoDB, unless another writer has created one. From here the commit counts.
 * 3. The temporary file is copied to its name in `_delta_log`.
 * 4. The entry is marked as complete.
 *
 * A reader that lists the log or misses the newest commit, and a writer of the next commit, first complete these steps for
 * a writer that died. Copies are conditional puts, so that writers that do not use DynamoDB lose no commit either if the
 * bucket supports `If-None-Match`.
 */
export class DynamoLogStore implements Store {
  readonly uri: string
  readonly #store: Store
  readonly #entries: CommitEntries
  readonly #graceMs: number
  readonly #clock: Clock

  /** `store` and `entries` are closed with this store. `graceMs` is the time that another writer has to finish its commit. */
  constructor(
    store: Store,
    entries: CommitEntries,
    { graceMs = GRACE_MS, clock = systemClock }: { readonly graceMs?: number; readonly clock?: Clock } = {},
  ) {
    this.uri = store.uri
    this.#store = store
    this.#entries = entries
    this.#graceMs = graceMs
    this.#clock = clock
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    try {
      return await this.#store.get(key, range)
    } catch (error) {
      const isAbsent = error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND'
      if (!isAbsent || !(await this.#recover(key))) throw error
      return this.#store.get(key, range)
    }
  }

  async size(key: string): Promise<number | undefined> {
    const bytes = await this.#store.size(key)
    return bytes === undefined && (await this.#recover(key)) ? this.#store.size(key) : bytes
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    const root = rootOf(prefix)
    if (root !== undefined) {
      const entry = await this.#entries.latest(this.#pathOf(root))
      if (entry?.isComplete === false) await this.#finish(root, entry)
    }
    yield* this.#store.list(prefix, startAfter)
  }

  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    return this.#store.put(key, body)
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    const commit = this.#commitOf(key)
    if (commit === undefined) return this.#store.putIfAbsent(key, body)
    try {
      return await this.#commit(commit, key, body)
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'KD_STORE_UNAVAILABLE') return 'unknown'
      throw error
    }
  }

  delete(key: string): Promise<void> {
    return this.#store.delete(key)
  }

  async close(): Promise<void> {
    await Promise.all([this.#store.close(), this.#entries.close()])
  }

  async #commit(commit: CommitFile, key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    const { root, tablePath, fileName } = commit
    const [bytes] = await Promise.all([this.#store.size(key), this.#finishPrevious(commit)])
    if (bytes !== undefined) return 'exists'
    const tempPath = `.tmp/${fileName}.${randomUUID()}`
    const temporary = `${root}${LOG}${tempPath}`
    await this.#store.put(temporary, body)
    if ((await this.#entries.create(tablePath, fileName, tempPath)) === 'exists') {
      await this.#store.delete(temporary)
      await this.#finishWinner(commit, key)
      return 'exists'
    }
    const outcome = await this.#putCommit(key, body)
    if (outcome === 'unknown') return this.#settle(commit, key, body)
    // Another process that lists the log may have copied our file meanwhile: then the bytes are equal.
    const isOurs = outcome === 'created' || Buffer.compare(await this.#store.get(key), body) === 0
    await this.#cleanUp(commit, temporary)
    return isOurs ? 'created' : 'exists'
  }

  /** Finishes our own entry after a copy with an unknown outcome, as after the death of a writer. */
  async #settle({ root, tablePath, fileName }: CommitFile, key: string, body: Uint8Array) {
    const entry = await this.#entries.get(tablePath, fileName)
    if (entry?.isComplete === false) await this.#finish(root, entry)
    return Buffer.compare(await this.#store.get(key), body) === 0 ? 'created' : 'exists'
  }

  /*
   * The commit is done, so a failure here must not be reported: the next reader marks an entry that is not marked, and a
   * temporary file that remains is never read again.
   */
  async #cleanUp({ tablePath, fileName }: CommitFile, temporary: string): Promise<void> {
    await Promise.allSettled([this.#entries.complete(tablePath, fileName), this.#store.delete(temporary)])
  }

  /** Finishes the previous version, so that readers see no gap. */
  async #finishPrevious({ root, tablePath, version }: CommitFile): Promise<void> {
    if (version === 0n) return
    const fileName = fileNameOf(version - 1n)
    const key = `${root}${LOG}${fileName}`
    const [entry, bytes] = await Promise.all([this.#entries.get(tablePath, fileName), this.#store.size(key)])
    if (entry?.isComplete === false) await this.#finish(root, entry)
    else if (bytes === undefined)
      throw new PipelineError('KD_STORE_FAILED', 'the previous commit is not in the log', {
        store: this.uri,
        key,
      })
  }

  /** Finishes the commit of the writer that won this version, so that it can be read afterwards. */
  async #finishWinner({ root, tablePath, fileName }: CommitFile, key: string): Promise<void> {
    const entry = await this.#entries.get(tablePath, fileName)
    if (entry?.isComplete === false) await this.#finish(root, entry)
    else if (entry !== undefined && (await this.#store.size(key)) === undefined)
      throw new PipelineError(
        'KD_STORE_FAILED',
        'the DynamoDB entry of this commit is complete, but the commit is not in the log; if the table was deleted, delete its entries in DynamoDB too',
        { store: this.uri, key, tablePath },
      )
  }

  /** Finishes a missing commit whose writer did not; returns whether an entry for it exists. */
  async #recover(key: string): Promise<boolean> {
    const commit = this.#commitOf(key)
    if (commit === undefined) return false
    const entry = await this.#entries.get(commit.tablePath, commit.fileName)
    if (entry === undefined) return false
    // A commit that was completed meanwhile exists now, or was deleted.
    if (!entry.isComplete) await this.#finish(commit.root, entry)
    return true
  }

  /** Copies the file of an incomplete entry into `_delta_log` unless it is there, and marks the entry as complete. */
  async #finish(root: string, entry: CommitEntry): Promise<void> {
    if (entry.fileName.includes('/'))
      throw new PipelineError('KD_STORE_FAILED', 'an entry in DynamoDB names a file outside the log', {
        store: this.uri,
        key: entry.fileName,
      })
    const key = `${root}${LOG}${entry.fileName}`
    const exists = await this.#appears(key)
    for (let copies = 1; !exists && !(await this.#copy(`${root}${LOG}${entry.tempPath}`, key)); copies++) {
      if (copies === COPIES_MAX)
        throw new PipelineError('KD_STORE_UNAVAILABLE', 'a commit could not be copied into the log', {
          store: this.uri,
          key,
          attempts: copies,
        })
    }
    await this.#entries.complete(this.#pathOf(root), entry.fileName)
  }

  /** Returns whether the object appears within the grace time: most unfinished commits have a writer at work. */
  async #appears(key: string): Promise<boolean> {
    for (let look = 1; ; look++) {
      if ((await this.#store.size(key)) !== undefined) return true
      if (look === GRACE_LOOKS) return false
      await this.#clock.sleep(this.#graceMs / GRACE_LOOKS)
    }
  }

  /** Copies the temporary file unless the object exists; returns whether it exists now, `false` if that is unknown. */
  async #copy(temporary: string, key: string): Promise<boolean> {
    if ((await this.#store.size(key)) !== undefined) return true
    let body: Uint8Array
    try {
      body = await this.#store.get(temporary)
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'KD_STORE_NOT_FOUND') throw error
      // The writer that completes a commit may move the file, or delete it afterwards.
      if ((await this.#store.size(key)) !== undefined) return true
      throw new PipelineError(
        'KD_STORE_FAILED',
        'neither the commit nor the temporary file of its DynamoDB entry exists; if the table was deleted, delete its entries in DynamoDB too',
        { store: this.uri, key: temporary },
        { cause: error },
      )
    }
    const outcome = await this.#putCommit(key, body)
    // delta-rs moves its file into the log; if the temporary file remains beside a copy, it believes that it lost the version.
    if (outcome === 'created') await this.#store.delete(temporary)
    return outcome !== 'unknown'
  }

  /** Writes the commit file; unconditionally if the bucket does not support conditions, since DynamoDB has decided already. */
  async #putCommit(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    try {
      return await this.#store.putIfAbsent(key, body)
    } catch (error) {
      if (!(error instanceof PipelineError) || error.context['status'] !== NOT_IMPLEMENTED) throw error
      await this.#store.put(key, body)
      return 'created'
    }
  }

  #commitOf(key: string): CommitFile | undefined {
    const match = /^((?:.*\/)?)_delta_log\/((\d{20})\.json)$/.exec(key)
    const [, root, fileName, digits] = match ?? []
    if (root === undefined || fileName === undefined || digits === undefined) return undefined
    return { root, tablePath: this.#pathOf(root), fileName, version: BigInt(digits) }
  }

  #pathOf(root: string): string {
    return `${this.uri.replace(/\/+$/, '')}/${root}`.replace(/\/+$/, '')
  }
}

/** Returns the root of the table whose log a listing includes, or `undefined` if it includes none. */
function rootOf(prefix: string): string | undefined {
  const match = /^((?:.*\/)?)_delta_log\//.exec(prefix)
  if (match !== null) return match[1] ?? ''
  return LOG.startsWith(prefix) ? '' : undefined
}

function fileNameOf(version: bigint): string {
  return `${version.toString().padStart(20, '0')}.json`
}
