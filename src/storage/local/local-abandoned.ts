import { opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The name of a file that is still being written: not an object yet, and never listed. */
export const TEMPORARY = /^\..+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** A writer that is alive writes to its file more often than this, in milliseconds. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
/** Folders that one store looks into. */
const FOLDERS_MAX = 10_000

/**
 * Removes what writers that were killed have left: unfinished files that nobody has touched for a day. Each folder is
 * looked into once, beside the writes that go there and never in their way.
 */
export class AbandonedFiles {
  readonly #now: () => number
  readonly #seen = new Set<string>()
  readonly #underWay = new Set<Promise<void>>()

  /** `now` is in milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Looks into a folder in the background, the first time that it is named. */
  lookInto(folder: string): void {
    if (this.#seen.has(folder) || this.#seen.size === FOLDERS_MAX) return
    this.#seen.add(folder)
    const looking = removeAbandoned(folder, this.#now() - ABANDONED_MS)
      // What cannot be removed is no object and in nobody's way; a write that fails too will say why.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(looking))
    this.#underWay.add(looking)
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }
}

async function removeAbandoned(folder: string, beforeMs: number): Promise<void> {
  // One name at a time: a folder may hold a million files.
  for await (const entry of await opendir(folder)) {
    if (!entry.isFile() || !TEMPORARY.test(entry.name)) continue
    const path = join(folder, entry.name)
    const { mtimeMs } = await stat(path)
    if (mtimeMs < beforeMs) await rm(path, { force: true })
  }
}
