import { isUtf8 } from 'node:buffer'
import type { CauseCount } from '../../stored-letters/cause.ts'
import type { LetterState } from '../../stored-letters/ledger.ts'
import type { StoredLetter } from '../../stored-letters/stored.ts'
import type { LetterStore } from '../../service/replay/stored-letters.ts'
import { formatTable, toOneLine } from '../output.ts'

const TEXT_CHARS_MAX = 100_000

/** Formats a time as ISO 8601 in UTC; `?` if it is unknown or out of range. */
export function formatTime(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15 ? '?' : new Date(ms).toISOString()
}

/**
 * Formats the position of a dead letter as `partition/offset`, followed by `#n` for the n-th further dead
 * letter of one message.
 */
export function formatPosition({ position }: StoredLetter): string {
  if (position === undefined) return '?'
  const { partition, offset, ordinal } = position
  return `${partition}/${offset}${ordinal > 0 ? `#${ordinal}` : ''}`
}

/** Returns bytes as text if they are UTF-8, otherwise as base64; cut to 100,000 characters. */
export function bytesToText(bytes: Uint8Array | null | undefined): string | null {
  if (bytes === undefined || bytes === null) return null
  // A UTF-16 unit takes at most three bytes: enough for the text that is shown, and a broken last character is cut off.
  const start = Buffer.from(bytes.subarray(0, 4 * TEXT_CHARS_MAX))
  const text = isUtf8(bytes) ? start.toString('utf8') : `base64:${start.toString('base64')}`
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`
}

/** Returns a dead letter and its state as an object for JSON output. */
export function toDeadLetterJson(
  letter: StoredLetter,
  state: LetterState,
): Readonly<Record<string, unknown>> {
  const { position, reason, stage, message, timestampMs, writtenMs, unplayable } = letter
  return {
    topic: position?.topic ?? null,
    partition: position?.partition ?? null,
    offset: position?.offset ?? null,
    ordinal: position?.ordinal ?? null,
    state,
    reason,
    stage,
    message,
    timestamp: timestampMs < 0 ? null : formatTime(timestampMs),
    written: formatTime(writtenMs),
    ...(unplayable === undefined ? {} : { unplayable }),
  }
}

/** Formats what the last read of a store left out; empty if that is nothing. */
export function formatIgnored({ foreign, lost }: LetterStore): string {
  const lines = [
    ...(foreign() > 0
      ? [`${foreign()} records there were not written by this service and are ignored\n`]
      : []),
    ...(lost() > 0
      ? [
          `${lost()} dead letters there have lost their first record to retention or compaction and are ignored\n`,
        ]
      : []),
  ]
  return lines.join('')
}

/** Formats how many dead letters were cut or are incomplete, by the reason; empty if all can be replayed. */
export function formatIncomplete(reasons: readonly CauseCount[]): string {
  return reasons
    .map(
      ({ count, cause, sample }) =>
        `${count} of them cannot be replayed: ${toOneLine(cause)} (first at ${sample})\n`,
    )
    .join('')
}

/** Formats groups of dead letters as a text table. */
export function formatCauses(causes: readonly CauseCount[], others: number): string {
  const isTimed = causes.some(({ firstMs }) => firstMs !== undefined)
  const text = formatTable(
    ['count', 'group', 'reason', ...(isTimed ? ['first', 'last'] : []), 'sample', 'cause'],
    causes.map(({ count, id, reason, firstMs, lastMs, sample, cause }) => [
      count,
      id,
      reason,
      ...(isTimed ? [formatTime(firstMs), formatTime(lastMs)] : []),
      sample,
      toOneLine(cause),
    ]),
  )
  return others === 0 ? text : `${text}and ${others} dead letters with further causes\n`
}
