import { opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Matches the names of files that are still being written; they are never listed. */
export const TEMPORARY_FILE_NAME = /^\..+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** Age of an abandoned file, in milliseconds; a running writer writes to its file more often. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
/** Maximum number of folders that one store cleans. */
const FOLDERS_MAX = 10_000

/**
 * Removes the unfinished files of killed writers, which have not changed for a day. Each folder is cleaned once, in the
 * background of writes to it.
 */
export class AbandonedFiles {
  readonly #now: () => number
  readonly #seen = new Set<string>()
  readonly #underWay = new Set<Promise<void>>()

  /** `now` is in milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Cleans a folder in the background at its first call for that folder. */
  cleanFolder(folder: string): void {
    if (this.#seen.has(folder) || this.#seen.size === FOLDERS_MAX) return
    this.#seen.add(folder)
    const looking = removeAbandoned(folder, this.#now() - ABANDONED_MS)
      // A file that cannot be removed is not an object and does no harm; a write that fails too reports the reason.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(looking))
    this.#underWay.add(looking)
  }

  /** Resolves when all cleaning has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }
}

async function removeAbandoned(folder: string, beforeMs: number): Promise<void> {
  // One name at a time: a folder may hold a million files.
  for await (const entry of await opendir(folder)) {
    if (!entry.isFile() || !TEMPORARY_FILE_NAME.test(entry.name)) continue
    const path = join(folder, entry.name)
    const { mtimeMs } = await stat(path)
    if (mtimeMs < beforeMs) await rm(path, { force: true })
  }
}
