import { createHash } from 'node:crypto'

/** Messages longer than this are compared by their beginning only. */
const CHARS_MAX = 400

/** Replaces a value that differs from record to record. */
const PLACEHOLDER = '…'

/** Words that are followed by a quoted name instead of a quoted value. */
const NAME_WORDS =
  /\b(?:propert(?:y|ies)|fields?|columns?|keys?|constraint|rule|function|lookup|schema|format|type)\s+$/i

/** Values that differ from record to record: quoted text, UUIDs, and numbers that are not part of a name. */
const VALUES =
  /"(?:[^"\\]|\\.)*"?|(?<![\p{L}\p{N}])'(?:[^'\\]|\\.)*'|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![\p{L}\p{N}_])[-+]?\d+(?:[.,:T-]\d+)*(?:e[-+]?\d+|Z)?(?![\p{L}\p{N}_])/giu

/**
 * Returns the message with the values of its record replaced, so that messages of the same cause are equal: numbers,
 * quoted text and identifiers become `…`. Field names stay, including those quoted after a word such as `property`.
 */
export function causeOf(message: string): string {
  return (
    message
      .slice(0, 4 * CHARS_MAX)
      // An object or list becomes one placeholder, whatever its content.
      .replace(/\bgot [[{].*?(?=; |$)/gs, `got ${PLACEHOLDER}`)
      .replace(VALUES, (value, at: number, all: string) => {
        const quote = value[0] === '"' || value[0] === "'" ? value[0] : ''
        if (quote === '') return PLACEHOLDER
        return NAME_WORDS.test(all.slice(Math.max(0, at - 20), at)) ? value : `${quote}${PLACEHOLDER}${quote}`
      })
      .slice(0, CHARS_MAX)
  )
}

/** Holds the number of failures with one cause. */
export interface CauseCount {
  /** Short id of the reason and the cause. */
  readonly id: string
  readonly reason: string
  readonly cause: string
  readonly count: number
  /** `partition/offset` of the first record. */
  readonly sample: string
  /** Times of the first and the last letter, milliseconds since the epoch; absent when unknown. */
  readonly firstMs?: number
  readonly lastMs?: number
}

/** Describes one failed record to count. */
interface FailedRecord {
  readonly reason: string
  readonly message: string
  readonly partition?: number | undefined
  readonly offset?: bigint | undefined
  readonly writtenMs?: number | undefined
}

/** Distinct causes counted; records with later causes are counted in `otherCount`. */
const CAUSES_MAX = 1_000

/** Counts failed records by cause. */
export class CauseCounter {
  readonly #counts = new Map<string, { -readonly [K in keyof CauseCount]: CauseCount[K] }>()
  /** Records whose cause is beyond the maximum of distinct causes. */
  otherCount = 0

  add({ reason, message, partition, offset, writtenMs }: FailedRecord): void {
    const cause = causeOf(message)
    const key = `${reason}\n${cause}`
    let known = this.#counts.get(key)
    if (known === undefined) {
      if (this.#counts.size >= CAUSES_MAX) {
        this.otherCount++
        return
      }
      const sample = partition === undefined || offset === undefined ? '?' : `${partition}/${offset}`
      known = { id: causeIdOf(reason, message), reason, cause, count: 0, sample }
      this.#counts.set(key, known)
    }
    known.count++
    if (writtenMs === undefined) return
    known.firstMs = Math.min(known.firstMs ?? Infinity, writtenMs)
    known.lastMs = Math.max(known.lastMs ?? -Infinity, writtenMs)
  }

  /** Returns the causes, most frequent first, at most `max`. */
  top(max = CAUSES_MAX): readonly CauseCount[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count).slice(0, max)
  }
}

/** Returns the short id of the cause of a message. */
export function causeIdOf(reason: string, message: string): string {
  return createHash('sha256')
    .update(`${reason}\n${causeOf(message)}`)
    .digest('hex')
    .slice(0, 8)
}

/** Returns one line for each of the most frequent causes, for logs and errors. */
export function describeCauses(letters: Iterable<FailedRecord>, max: number): readonly string[] {
  const causes = new CauseCounter()
  for (const letter of letters) causes.add(letter)
  return causes
    .top(max)
    .map(({ reason, cause, count, sample }) => `${count} × ${reason}: ${cause} (first at ${sample})`)
}
