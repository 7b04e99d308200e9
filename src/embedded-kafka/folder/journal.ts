import { createHash } from 'node:crypto'
import { existsSync, readFileSync, truncateSync } from 'node:fs'
import { PipelineError } from '../../core/errors.ts'
import type { FactChange, FactKey, FactKind, Ledger } from '../ledger.ts'
import type { FsyncPolicy, OpenFiles } from './open-files.ts'
import { replaceFile } from './replace-file.ts'

/** Bytes of the file from which on it is written anew, if at least half of them are history. */
const BYTES_MAX = 4 * 2 ** 20
const LINE_FEED = 0x0a
const CHECKSUM_DIGITS = 8

/**
 * Keeps the facts of a broker in a file: a line for each group of changes, its checksum before it. A line that a killed
 * process wrote in part is cut off. The file is written anew when most of it is history.
 */
export class Journal implements Ledger {
  readonly #path: string
  readonly #fsync: FsyncPolicy
  readonly #files: OpenFiles
  /** Values by the JSON of their key. */
  readonly #facts = new Map<string, unknown>()
  #bytes = 0
  #anewFrom = BYTES_MAX

  /** @throws PipelineError for a line that is broken before others that are not */
  constructor(path: string, files: OpenFiles, fsync: FsyncPolicy) {
    this.#path = path
    this.#fsync = fsync
    this.#files = files
    if (existsSync(path)) this.#load(readFileSync(path))
    else replaceFile(path, [], fsync)
  }

  facts(kind: FactKind): readonly (readonly [about: readonly string[], value: unknown])[] {
    return [...this.#facts].flatMap(([key, value]) => {
      const [its, ...about] = JSON.parse(key) as FactKey
      return its === kind ? [[about, value] as const] : []
    })
  }

  set(changes: readonly FactChange[]): void {
    if (changes.length === 0) return
    const line = lineOf(changes)
    this.#files.append(this.#path, line, this.#bytes)
    this.#bytes += line.length
    this.#apply(changes)
    if (this.#bytes >= this.#anewFrom) this.#writeAnew()
  }

  #load(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, at)
      const changes = feed < 0 ? undefined : changesOf(bytes.subarray(at, feed))
      if (changes === undefined) {
        if (feed >= 0 && feed + 1 < bytes.length)
          throw new PipelineError(
            'KD_SERVER_FAILED',
            `the embedded broker cannot read its journal: a line at byte ${at} of ${bytes.length} has another checksum; remove the folder, or restore it`,
            { path: this.#path },
          )
        truncateSync(this.#path, at)
        break
      }
      this.#apply(changes)
      at = feed + 1
      this.#bytes = at
    }
  }

  #apply(changes: readonly FactChange[]): void {
    for (const [key, value] of changes)
      if (value === undefined || value === null) this.#facts.delete(JSON.stringify(key))
      else this.#facts.set(JSON.stringify(key), value)
  }

  #writeAnew(): void {
    const lines = [...this.#facts].map(([key, value]) => lineOf([[JSON.parse(key) as FactKey, value]]))
    this.#files.close(this.#path)
    replaceFile(this.#path, lines, this.#fsync)
    this.#bytes = lines.reduce((sum, { length }) => sum + length, 0)
    this.#anewFrom = Math.max(BYTES_MAX, 2 * this.#bytes)
  }
}

function lineOf(changes: readonly FactChange[]): Buffer {
  const text = Buffer.from(JSON.stringify(changes))
  return Buffer.concat([Buffer.from(checksumOf(text)), text, Buffer.of(LINE_FEED)])
}

function changesOf(line: Buffer): readonly FactChange[] | undefined {
  const text = line.subarray(CHECKSUM_DIGITS)
  if (line.subarray(0, CHECKSUM_DIGITS).toString('latin1') !== checksumOf(text)) return undefined
  return JSON.parse(text.toString()) as readonly FactChange[]
}

function checksumOf(text: Buffer): string {
  return createHash('sha256').update(text).digest('hex').slice(0, CHECKSUM_DIGITS)
}
