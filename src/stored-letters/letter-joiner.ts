import type { Headers } from '../core/raw.ts'
import type { PartsNotice } from '../kafka/dead-letters/dead-letter-envelope.ts'
import { decodeContent } from '../kafka/dead-letters/letter-content.ts'
import { readLetterRecord, type LetterPart, type StoredLetter } from './stored.ts'

/** Configures how the records of a dead letter topic are joined. */
export interface JoinOptions {
  /** Returns true for the letters to return; parts of others are not held. Default: all. */
  readonly wants?: ((letter: StoredLetter) => boolean) | undefined
  /** False when key, value and headers of a letter in parts may stay truncated; default true. */
  readonly withContent?: boolean | undefined
  /** Maximum bytes of incomplete letters that are held at once; default 256 MiB. */
  readonly bytesMax?: number | undefined
}

const BYTES_MAX = 256 * 1024 * 1024
/** Maximum letters with pending parts; there are rarely more than partitions of the topic. */
const OPEN_MAX = 10_000

const INCOMPLETE = 'its value, key or headers are in parts, and parts are missing in the topic'

const TOO_LARGE =
  'too many bytes of dead letters in parts would be held at once; select fewer, such as with --partition'

interface OpenLetter {
  /** Absent when the letter is not wanted, or was returned truncated. */
  letter: StoredLetter | undefined
  readonly notice: PartsNotice
  readonly slices: Buffer[]
  /** Bytes held. */
  bytes: number
  contentBytes: number
  nextPart: number
  isBroken: boolean
}

/**
 * Joins the records of dead letters that are stored in parts. The records of one letter must come in order; those of
 * others may come between them. A letter whose parts are incomplete, or larger than the maximum, is returned truncated
 * and with a reason why it cannot be replayed.
 */
export class LetterJoiner {
  /** Letters of which only parts are left, because the topic has lost their first record. */
  lostCount = 0
  readonly #options: JoinOptions
  /** Ascending by age. */
  readonly #open = new Map<string, OpenLetter>()
  #bytes = 0

  constructor(options: JoinOptions = {}) {
    this.#options = options
  }

  /**
   * Adds the next record. Returns the letters that are settled by it, usually none or one; `undefined` when the record is
   * not one of this service.
   */
  add(value: Uint8Array, headers: Headers | undefined): readonly StoredLetter[] | undefined {
    const record = readLetterRecord(value, headers)
    if (record === undefined) return undefined
    if (record.kind === 'part') return this.#addPart(record)
    const { letter, parts } = record
    const isWanted = this.#options.wants?.(letter) !== false
    if (parts === undefined) return isWanted ? [letter] : []
    const bytes = isWanted ? value.length : 0
    // The topic has the record twice if another program copied it: the parts then follow the second one.
    const repeated = this.#drop(parts.id, INCOMPLETE)
    this.#open.set(parts.id, {
      letter: isWanted ? letter : undefined,
      notice: parts,
      slices: [],
      bytes,
      contentBytes: 0,
      nextPart: 1,
      isBroken: false,
    })
    this.#bytes += bytes
    return [...repeated, ...this.#evict()]
  }

  /** Returns the letters whose parts did not all come. */
  end(): readonly StoredLetter[] {
    return [...this.#open.keys()].flatMap((id) => this.#drop(id, INCOMPLETE))
  }

  #addPart({ id, part, count, base64 }: LetterPart): readonly StoredLetter[] {
    const open = this.#open.get(id)
    if (open === undefined) {
      if (part === count) this.lostCount++
      return []
    }
    const { letter, notice, slices } = open
    if (part !== open.nextPart || count !== notice.count) open.isBroken = true
    open.nextPart = part + 1
    if (letter !== undefined && !open.isBroken) {
      const length = Buffer.byteLength(base64, 'base64')
      open.contentBytes += length
      if (this.#options.withContent !== false) {
        slices.push(Buffer.from(base64, 'base64'))
        open.bytes += length
        this.#bytes += length
      }
    }
    return part === count ? this.#finish(id, open) : this.#evict()
  }

  #finish(id: string, open: OpenLetter): readonly StoredLetter[] {
    const { letter, notice, slices, contentBytes, isBroken } = open
    if (isBroken || letter === undefined || contentBytes !== notice.bytes) return this.#drop(id, INCOMPLETE)
    this.#forget(id)
    if (this.#options.withContent === false) return [{ ...letter, unplayable: undefined }]
    const content = decodeContent(Buffer.concat(slices))
    if (content === undefined) return [{ ...letter, unplayable: INCOMPLETE }]
    const { key, value, headers } = content
    return [{ ...letter, key, value, headers, unplayable: undefined }]
  }

  /** Returns the oldest open letters truncated until the rest is within the maximum. */
  #evict(): readonly StoredLetter[] {
    const bytesMax = this.#options.bytesMax ?? BYTES_MAX
    const dropped: StoredLetter[] = []
    for (const [id, open] of this.#open) {
      if (this.#open.size > OPEN_MAX) {
        dropped.push(...this.#drop(id, INCOMPLETE))
        continue
      }
      if (this.#bytes <= bytesMax) break
      const { letter } = open
      if (letter === undefined) continue
      this.#bytes -= open.bytes
      // Stays in the map, so that its last part does not count as lost.
      Object.assign(open, { letter: undefined, bytes: 0 })
      open.slices.length = 0
      dropped.push({ ...letter, unplayable: TOO_LARGE })
    }
    return dropped
  }

  #drop(id: string, unplayable: string): readonly StoredLetter[] {
    const letter = this.#forget(id)
    return letter === undefined ? [] : [{ ...letter, unplayable }]
  }

  #forget(id: string): StoredLetter | undefined {
    const open = this.#open.get(id)
    this.#open.delete(id)
    this.#bytes -= open?.bytes ?? 0
    return open?.letter
  }
}
