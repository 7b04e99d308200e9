import { createHash } from 'node:crypto'

/** Longer messages are alike when their beginnings are. */
const CHARS_MAX = 400

/** What stands in a message for a value that differs from record to record. */
const HOLE = '…'

/** Words behind which a name stands in quotation marks, and no value. */
const NAMING =
  /\b(?:propert(?:y|ies)|fields?|columns?|keys?|constraint|rule|function|lookup|schema|format|type)\s+$/i

/** What differs from record to record: text in quotation marks, identifiers, numbers that are no part of a name. */
const VALUES =
  /"(?:[^"\\]|\\.)*"?|(?<![\p{L}\p{N}])'(?:[^'\\]|\\.)*'|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![\p{L}\p{N}_])[-+]?\d+(?:[.,:T-]\d+)*(?:e[-+]?\d+|Z)?(?![\p{L}\p{N}_])/giu

/**
 * What a message says beside the values of its record, so that one cause is one text: numbers, text in quotation marks and
 * identifiers become holes. Names of fields stay, those in quotation marks behind a word such as `property`.
 */
export function causeOf(message: string): string {
  return (
    message
      .slice(0, 4 * CHARS_MAX)
      // Objects and lists of any shape are one hole.
      .replace(/\bgot [[{].*?(?=; |$)/gs, `got ${HOLE}`)
      .replace(VALUES, (value, at: number, all: string) => {
        const quote = value[0] === '"' || value[0] === "'" ? value[0] : ''
        if (quote === '') return HOLE
        return NAMING.test(all.slice(Math.max(0, at - 20), at)) ? value : `${quote}${HOLE}${quote}`
      })
      .slice(0, CHARS_MAX)
  )
}

/** How often something failed for one cause. */
export interface CauseCount {
  /** A short name for the reason and the cause. */
  readonly id: string
  readonly reason: string
  readonly cause: string
  readonly count: number
  /** `partition/offset` of the first of them. */
  readonly sample: string
  /** When the first and the last were written, milliseconds since the epoch; absent where nobody said. */
  readonly firstMs?: number
  readonly lastMs?: number
}

/** What is counted by its cause. */
export interface Caused {
  readonly reason: string
  readonly message: string
  readonly partition?: number | undefined
  readonly offset?: bigint | undefined
  readonly writtenMs?: number | undefined
}

/** Causes that are told apart at once; those that come later are counted as others. */
const CAUSES_MAX = 1_000

/** Counts what failed by its cause. */
export class Causes {
  readonly #counts = new Map<string, { -readonly [K in keyof CauseCount]: CauseCount[K] }>()
  /** Of causes beyond the most that are told apart. */
  others = 0

  add({ reason, message, partition, offset, writtenMs }: Caused): void {
    const cause = causeOf(message)
    const key = `${reason}\n${cause}`
    let known = this.#counts.get(key)
    if (known === undefined) {
      if (this.#counts.size >= CAUSES_MAX) {
        this.others++
        return
      }
      const sample = partition === undefined || offset === undefined ? '?' : `${partition}/${offset}`
      known = { id: causeId(reason, message), reason, cause, count: 0, sample }
      this.#counts.set(key, known)
    }
    known.count++
    if (writtenMs === undefined) return
    known.firstMs = Math.min(known.firstMs ?? Infinity, writtenMs)
    known.lastMs = Math.max(known.lastMs ?? -Infinity, writtenMs)
  }

  /** Most frequent first, `max` at most. */
  top(max = CAUSES_MAX): readonly CauseCount[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count).slice(0, max)
  }
}

/** The short name of the cause of a message. */
export function causeId(reason: string, message: string): string {
  return createHash('sha256')
    .update(`${reason}\n${causeOf(message)}`)
    .digest('hex')
    .slice(0, 8)
}

/** The most frequent causes in a line each, for logs and errors. */
export function causeLines(letters: Iterable<Caused>, max: number): readonly string[] {
  const causes = new Causes()
  for (const letter of letters) causes.add(letter)
  return causes
    .top(max)
    .map(({ reason, cause, count, sample }) => `${count} × ${reason}: ${cause} (first at ${sample})`)
}
