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
  return message
    .slice(0, 4 * CHARS_MAX)
    .replace(VALUES, (value, at: number, all: string) => {
      const quote = value[0] === '"' || value[0] === "'" ? value[0] : ''
      if (quote === '') return HOLE
      return NAMING.test(all.slice(Math.max(0, at - 20), at)) ? value : `${quote}${HOLE}${quote}`
    })
    .slice(0, CHARS_MAX)
}

/** What letters of one cause have in common. */
export interface Cause {
  readonly reason: string
  readonly cause: string
}

/** How often something failed for one cause, most frequent first. */
export interface CauseCount extends Cause {
  readonly count: number
  /** `partition/offset` of one of them. */
  readonly sample: string
}

/** The causes of letters with how often each came, most frequent first, `max` at most. */
export function topCauses(
  letters: Iterable<{
    readonly reason: string
    readonly message: string
    readonly partition: number
    readonly offset: bigint
  }>,
  max: number,
): readonly CauseCount[] {
  const counts = new Map<string, { reason: string; cause: string; count: number; sample: string }>()
  for (const { reason, message, partition, offset } of letters) {
    const cause = causeOf(message)
    const key = `${reason}\n${cause}`
    const known = counts.get(key)
    if (known !== undefined) known.count++
    else if (counts.size < CAUSES_MAX)
      counts.set(key, { reason, cause, count: 1, sample: `${partition}/${offset}` })
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, max)
}

/** Causes that are told apart at once. */
const CAUSES_MAX = 1_000
