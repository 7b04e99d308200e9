import { randomUUID } from 'node:crypto'
import type { Dirent, Stats } from 'node:fs'
import {
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
  type FileHandle,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { AbandonedFiles, TEMPORARY_FILE_NAME } from './local-abandoned.ts'
import { checkKey, checkPrefix, compareKeys } from '../keys.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from '../store.ts'

/** Error codes that may pass: a busy disk, a network file system that does not answer. */
const TRANSIENT_CODES = new Set(['EBUSY', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'ETIMEDOUT'])
/** Error codes that last until something outside changes: what is wrong with the disk, and what the reader can do. */
const BLOCKED_CODES: Readonly<Record<string, readonly [fault: string, remedy: string]>> = {
  ENOSPC: ['is full', 'free space on it'],
  EDQUOT: ['is full: the disk quota is used up', 'free space or raise the quota'],
  EROFS: ['is read-only', 'mount it writable'],
  EACCES: ['cannot be accessed', 'check the owner and permissions of the folder'],
  EPERM: ['cannot be accessed', 'check the owner, permissions and attributes of the folder'],
  EIO: ['reports a fault', 'check the disk and the log of the system'],
}
const ABSENT_CODES = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/**
 * Stores objects as files below a folder. Every object is written to a temporary file beside it and synced before it gets
 * its name, by a rename (which replaces) or a hard link (which never replaces): both are atomic on a local file system,
 * also between processes. Folders are created with their first object and remain. Unfinished files of killed writers are
 * removed after a day, at the next write or delete in their folder.
 */
export class LocalStore implements Store {
  readonly uri: string
  readonly #root: string
  readonly #abandoned: AbandonedFiles

  /**
   * `path` is absolute or relative to the working directory; `uri` is the URI as the user wrote it; `now` returns
   * milliseconds since the epoch.
   */
  constructor(path: string, uri: string = path, now: () => number = Date.now) {
    this.uri = uri
    this.#root = resolve(path)
    this.#abandoned = new AbandonedFiles(now)
  }

  async get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    const path = this.#pathOf(key)
    try {
      const file = await open(path, 'r')
      try {
        return range === undefined ? await file.readFile() : await readRange(file, range.start, range.end)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw this.#errorOf(error, 'read', key)
    }
  }

  async size(key: string): Promise<number | undefined> {
    const stats = await this.#statOf(this.#pathOf(key), key)
    return stats?.isFile() === true ? stats.size : undefined
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    yield* this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, startAfter)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    const path = this.#pathOf(key)
    try {
      const temporary = await writeTemporary(path, body)
      this.#abandoned.cleanFolder(dirname(path))
      try {
        await rename(temporary.path, path)
      } catch (error) {
        await rm(temporary.path, { force: true })
        throw error
      }
      await sync(dirname(path))
      return { bytes: temporary.bytes }
    } catch (error) {
      throw this.#errorOf(error, 'write', key)
    }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    const path = this.#pathOf(key)
    let temporary: string
    try {
      temporary = (await writeTemporary(path, body)).path
      this.#abandoned.cleanFolder(dirname(path))
      if (!(await linkOnce(temporary, path))) {
        await unlink(temporary)
        return 'exists'
      }
    } catch (error) {
      throw this.#errorOf(error, 'write', key)
    }
    // The name is visible to readers, but without the sync it may not survive a power failure.
    return Promise.all([unlink(temporary), sync(dirname(path))]).then(
      () => 'created',
      () => 'unknown',
    )
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key)
    this.#abandoned.cleanFolder(dirname(path))
    try {
      await unlink(path)
    } catch (error) {
      if (!ABSENT_CODES.has(codeOf(error) ?? '')) throw this.#errorOf(error, 'delete', key)
    }
  }

  close(): Promise<void> {
    return this.#abandoned.settled()
  }

  /** Yields the objects of the listing below `folder` (empty, or a key with a trailing slash), depth first. */
  async *#walk(folder: string, prefix: string, startAfter: string | undefined): AsyncIterable<StoredObject> {
    for (const { key, isFolder } of await this.#entriesOf(folder)) {
      if (isFolder) {
        const isWanted = key.startsWith(prefix) || prefix.startsWith(key)
        const isBefore =
          startAfter !== undefined && !startAfter.startsWith(key) && compareKeys(key, startAfter) < 0
        if (isWanted && !isBefore) yield* this.#walk(key, prefix, startAfter)
        continue
      }
      if (!key.startsWith(prefix) || (startAfter !== undefined && compareKeys(key, startAfter) <= 0)) continue
      const stats = await this.#statOf(join(this.#root, key), key)
      // The file may have been deleted since the folder was read.
      if (stats?.isFile() === true) yield { key, bytes: stats.size, modifiedMs: stats.mtimeMs }
    }
  }

  /** Returns the entries of a folder in listing order; subfolders are sorted with their trailing slash. */
  async #entriesOf(folder: string): Promise<{ key: string; isFolder: boolean }[]> {
    let entries: Dirent[]
    try {
      entries = await readdir(join(this.#root, folder), { withFileTypes: true })
    } catch (error) {
      if (ABSENT_CODES.has(codeOf(error) ?? '')) return []
      throw this.#errorOf(error, 'list', folder)
    }
    return entries
      .filter((entry) => !TEMPORARY_FILE_NAME.test(entry.name))
      .map((entry) => {
        const isFolder = entry.isDirectory()
        return { key: `${folder}${entry.name}${isFolder ? '/' : ''}`, isFolder }
      })
      .sort((a, b) => compareKeys(a.key, b.key))
  }

  async #statOf(path: string, key: string): Promise<Stats | undefined> {
    try {
      return await stat(path)
    } catch (error) {
      if (ABSENT_CODES.has(codeOf(error) ?? '')) return undefined
      throw this.#errorOf(error, 'look up', key)
    }
  }

  #pathOf(key: string): string {
    checkKey(key)
    if (TEMPORARY_FILE_NAME.test(basename(key)))
      throw new PipelineError('KD_STORE_FAILED', 'the key is named like an unfinished file', { key })
    return join(this.#root, key)
  }

  #errorOf(error: unknown, action: string, key: string): unknown {
    const where = { store: this.uri, key }
    if (error instanceof NoHardLinks)
      return new PipelineError(
        'KD_STORE_FAILED',
        `the file system under ${this.#root} has no hard links, without which a commit could replace another: ${error.message}; use another file system`,
        where,
        { cause: error.cause },
      )
    const code = codeOf(error)
    // Errors of the producer of a streamed body are passed on unchanged.
    if (code === undefined) return error
    const detail = `could not ${action} the file: ${messageOf(error)}`
    if (action === 'read' && ABSENT_CODES.has(code))
      return new PipelineError('KD_STORE_NOT_FOUND', 'the file does not exist', where, { cause: error })
    const [fault, remedy] = BLOCKED_CODES[code] ?? []
    if (fault !== undefined)
      return new PipelineError(
        'KD_STORE_BLOCKED',
        `the disk under ${this.#root} ${fault}: ${detail}; ${remedy}: the service tries again by itself`,
        where,
        { cause: error },
      )
    if (TRANSIENT_CODES.has(code))
      return new PipelineError('KD_STORE_UNAVAILABLE', detail, where, { cause: error })
    return new PipelineError('KD_STORE_FAILED', detail, where, { cause: error })
  }
}

async function writeTemporary(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<{ path: string; bytes: number }> {
  await makeFolder(dirname(path))
  // File names have at most 255 bytes; the UUID keeps shortened names unique.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomUUID()}.tmp`)
  const file = await open(temporary, 'wx')
  try {
    await writeFile(file, body)
    await file.sync()
    const { size } = await file.stat()
    return { path: temporary, bytes: size }
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** The file system has no hard links. */
class NoHardLinks extends Error {}

/** Links a temporary file to its final name; returns whether it did, or `false` if the name exists. */
async function linkOnce(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    // A network file system may repeat a request whose response was lost: if our file has two names, the link is ours.
    if (codeOf(error) === 'EEXIST') return (await stat(temporary)).nlink === 2
    await rm(temporary, { force: true })
    // The folder took the temporary file, so this is no lack of permission that may pass.
    if (codeOf(error) === 'EPERM') throw new NoHardLinks(messageOf(error), { cause: error })
    throw error
  }
}

/**
 * Creates a folder and its parents, and syncs the parent of each that it created. Node's own recursive `mkdir` never
 * ends where the file system answers ENOENT for a folder whose parent exists, as `/proc` does.
 */
async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = []
  for (let path = folder; !(await tryMakeFolder(path)); path = dirname(path)) missing.push(path)
  for (const path of missing.reverse()) {
    if (!(await tryMakeFolder(path))) await mkdir(path)
  }
}

/**
 * Creates a folder and syncs its parent. Returns true also if the name exists, and false if a parent is missing.
 */
async function tryMakeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = codeOf(error)
    // A file of that name makes the next step fail, whose error names the path.
    if (code === 'EEXIST') return true
    if (code === 'ENOENT' && dirname(path) !== path) return false
    // Some systems answer otherwise for a root or a mounted folder that exists.
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) throw error
    return true
  }
  await sync(dirname(path))
  return true
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readRange(file: FileHandle, start: number, end: number | undefined): Promise<Uint8Array> {
  const stats = await file.stat()
  const bytes = new Uint8Array(Math.max(0, Math.min(end ?? stats.size, stats.size) - start))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
