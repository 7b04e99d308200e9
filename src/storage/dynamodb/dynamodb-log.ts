import { randomUUID } from 'node:crypto'
import { PipelineError } from '../../core/errors.ts'
import type { CommitEntries, CommitEntry } from './dynamodb-entries.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from '../store.ts'

const LOG = '_delta_log/'
/** How often a file that an entry names is copied into its place before that is given up. */
const COPIES_MAX = 4
/** How long a writer that may be alive is left to do so itself, in milliseconds, and how often it is looked after. */
const GRACE_MS = 1000
const GRACE_LOOKS = 5
/** The status of an answer to a request that the server does not know. */
const NOT_IMPLEMENTED = 501

/** One commit of a Delta table in a store. */
interface Commit {
  /** Key of the table's root: empty, or with a slash at its end. */
  readonly root: string
  /** The table's address, as all its writers must write it. */
  readonly tablePath: string
  readonly fileName: string
  readonly version: bigint
}

/**
 * A store whose Delta commits are agreed upon in DynamoDB, by the protocol of delta-spark's `S3DynamoDBLogStore`: several
 * engines can write to one table at once although the bucket alone could not say who was first. Everything that is not
 * a commit goes to the store below as it is.
 *
 * A commit is written to a temporary file, then entered in DynamoDB where nobody else has entered that version, then
 * copied to its name, then marked as complete. It counts from the second step on: whoever lists the log, misses the
 * newest commit, or wants to write the next one, first does what a writer that died has left undone.
 *
 * Copies are made by conditional puts, so that even a writer who does not ask DynamoDB never loses a commit to us where
 * the bucket honours `If-None-Match`.
 */
export class DynamoLogStore implements Store {
  readonly uri: string
  readonly #store: Store
  readonly #entries: CommitEntries
  readonly #graceMs: number

  /** `store` and `entries` are closed with this store. `graceMs` is the patience with another writer's unfinished commit. */
  constructor(
    store: Store,
    entries: CommitEntries,
    { graceMs = GRACE_MS }: { readonly graceMs?: number } = {},
  ) {
    this.uri = store.uri
    this.#store = store
    this.#entries = entries
    this.#graceMs = graceMs
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    try {
      return await this.#store.get(key, range)
    } catch (error) {
      const isAbsent = error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND'
      if (!isAbsent || !(await this.#recovered(key))) throw error
      return this.#store.get(key, range)
    }
  }

  async size(key: string): Promise<number | undefined> {
    const bytes = await this.#store.size(key)
    return bytes === undefined && (await this.#recovered(key)) ? this.#store.size(key) : bytes
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

  async #commit(commit: Commit, key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
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
    const outcome = await this.#place(key, body)
    if (outcome === 'unknown') return this.#settled(commit, key, body)
    // Whoever lists the log meanwhile may have copied our file: the same bytes say so.
    const isOurs = outcome === 'created' || Buffer.compare(await this.#store.get(key), body) === 0
    await this.#tidy(commit, temporary)
    return isOurs ? 'created' : 'exists'
  }

  /** The entry is ours but nobody knows whether its file is in its place: the same as after the death of a writer. */
  async #settled({ root, tablePath, fileName }: Commit, key: string, body: Uint8Array) {
    const entry = await this.#entries.get(tablePath, fileName)
    if (entry?.isComplete === false) await this.#finish(root, entry)
    return Buffer.compare(await this.#store.get(key), body) === 0 ? 'created' : 'exists'
  }

  /*
   * The commit is done, so what fails here must not make it look undone: an entry that is not marked is marked by the
   * next reader, and a temporary file that stays is never read again.
   */
  async #tidy({ tablePath, fileName }: Commit, temporary: string): Promise<void> {
    await Promise.allSettled([this.#entries.complete(tablePath, fileName), this.#store.delete(temporary)])
  }

  /** The version before must be in its place, or readers would see a gap. */
  async #finishPrevious({ root, tablePath, version }: Commit): Promise<void> {
    if (version === 0n) return
    const fileName = fileNameOf(version - 1n)
    const key = `${root}${LOG}${fileName}`
    const [entry, bytes] = await Promise.all([this.#entries.get(tablePath, fileName), this.#store.size(key)])
    if (entry?.isComplete === false) await this.#finish(root, entry)
    else if (bytes === undefined)
      throw new PipelineError('KD_STORE_FAILED', 'the commit before this one is not in the log', {
        store: this.uri,
        key,
      })
  }

  /** Somebody else has entered the version that we wanted: the commit is to be readable when its loser looks. */
  async #finishWinner({ root, tablePath, fileName }: Commit, key: string): Promise<void> {
    const entry = await this.#entries.get(tablePath, fileName)
    if (entry?.isComplete === false) await this.#finish(root, entry)
    else if (entry !== undefined && (await this.#store.size(key)) === undefined)
      throw new PipelineError(
        'KD_STORE_FAILED',
        'DynamoDB says that this commit is complete, but it is not in the log: where a table was deleted, its entries must be deleted too',
        { store: this.uri, key, tablePath },
      )
  }

  /** Does for a commit that is not there what its writer has left undone; says whether there was anything to do. */
  async #recovered(key: string): Promise<boolean> {
    const commit = this.#commitOf(key)
    if (commit === undefined) return false
    const entry = await this.#entries.get(commit.tablePath, commit.fileName)
    if (entry === undefined) return false
    // One that has been completed since it was missed is there now, or was deleted.
    if (!entry.isComplete) await this.#finish(commit.root, entry)
    return true
  }

  /** Copies the file of an incomplete entry into its place where it is not yet, and marks the entry. */
  async #finish(root: string, entry: CommitEntry): Promise<void> {
    if (entry.fileName.includes('/'))
      throw new PipelineError('KD_STORE_FAILED', 'an entry in DynamoDB names a file outside of the log', {
        store: this.uri,
        key: entry.fileName,
      })
    const key = `${root}${LOG}${entry.fileName}`
    const isThere = await this.#awaited(key)
    for (let copies = 1; !isThere && !(await this.#copied(`${root}${LOG}${entry.tempPath}`, key)); copies++) {
      if (copies === COPIES_MAX)
        throw new PipelineError('KD_STORE_UNAVAILABLE', 'a commit could not be copied into its place', {
          store: this.uri,
          key,
          attempts: copies,
        })
    }
    await this.#entries.complete(this.#pathOf(root), entry.fileName)
  }

  /** Most commits that are not finished have a writer at work: whether it puts the object into its place meanwhile. */
  async #awaited(key: string): Promise<boolean> {
    for (let look = 1; ; look++) {
      if ((await this.#store.size(key)) !== undefined) return true
      if (look === GRACE_LOOKS) return false
      await new Promise((resolve) => setTimeout(resolve, this.#graceMs / GRACE_LOOKS))
    }
  }

  /** Whether the object is there now, be it by us; `false` where nobody knows. */
  async #copied(temporary: string, key: string): Promise<boolean> {
    if ((await this.#store.size(key)) !== undefined) return true
    let body: Uint8Array
    try {
      body = await this.#store.get(temporary)
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'KD_STORE_NOT_FOUND') throw error
      // Who completes a commit may move the file, or delete it afterwards.
      if ((await this.#store.size(key)) !== undefined) return true
      throw new PipelineError(
        'KD_STORE_FAILED',
        'an entry in DynamoDB names a file that is not there, and the commit is not either: where a table was deleted, its entries must be deleted too',
        { store: this.uri, key: temporary },
        { cause: error },
      )
    }
    const outcome = await this.#place(key, body)
    // delta-rs moves its file into place, and takes a copy beside a file that stays for a version that it has lost.
    if (outcome === 'created') await this.#store.delete(temporary)
    return outcome !== 'unknown'
  }

  /** A bucket that refuses conditions is believed: DynamoDB has decided already what this object holds. */
  async #place(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    try {
      return await this.#store.putIfAbsent(key, body)
    } catch (error) {
      if (!(error instanceof PipelineError) || error.context['status'] !== NOT_IMPLEMENTED) throw error
      await this.#store.put(key, body)
      return 'created'
    }
  }

  #commitOf(key: string): Commit | undefined {
    const match = /^((?:.*\/)?)_delta_log\/((\d{20})\.json)$/.exec(key)
    const [, root, fileName, digits] = match ?? []
    if (root === undefined || fileName === undefined || digits === undefined) return undefined
    return { root, tablePath: this.#pathOf(root), fileName, version: BigInt(digits) }
  }

  #pathOf(root: string): string {
    return `${this.uri.replace(/\/+$/, '')}/${root}`.replace(/\/+$/, '')
  }
}

/** The root of the table into whose log a listing looks; `undefined` where it looks into none. */
function rootOf(prefix: string): string | undefined {
  const match = /^((?:.*\/)?)_delta_log\//.exec(prefix)
  if (match !== null) return match[1] ?? ''
  return LOG.startsWith(prefix) ? '' : undefined
}

function fileNameOf(version: bigint): string {
  return `${version.toString().padStart(20, '0')}.json`
}
