import { isUtf8 } from 'node:buffer'
import type { CauseCount } from '../../dead-letters/cause.ts'
import type { LetterState } from '../../dead-letters/marks.ts'
import type { StoredLetter } from '../../dead-letters/stored.ts'
import { tableOf } from '../output.ts'

const TEXT_CHARS_MAX = 100_000

/** A time for people. */
export function timeText(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15 ? '?' : new Date(ms).toISOString()
}

/** `partition/offset`, with the number of the letter within its message where that is not the first. */
export function placeText({ place }: StoredLetter): string {
  if (place === undefined) return '?'
  const { partition, offset, ordinal } = place
  return `${partition}/${offset}${ordinal > 0 ? `#${ordinal}` : ''}`
}

/** Bytes as text where they are some, otherwise as base64. */
export function bytesText(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null
  const text = isUtf8(bytes)
    ? Buffer.from(bytes).toString('utf8')
    : `base64:${Buffer.from(bytes).toString('base64')}`
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`
}

/** A letter as JSON. */
export function letterJson(letter: StoredLetter, state: LetterState): Readonly<Record<string, unknown>> {
  const { place, reason, stage, message, timestampMs, writtenMs, unplayable } = letter
  return {
    topic: place?.topic ?? null,
    partition: place?.partition ?? null,
    offset: place?.offset ?? null,
    ordinal: place?.ordinal ?? null,
    state,
    reason,
    stage,
    message,
    timestamp: timestampMs < 0 ? null : timeText(timestampMs),
    written: timeText(writtenMs),
    ...(unplayable === undefined ? {} : { unplayable }),
  }
}

/** Groups as a table for people. */
export function causesText(causes: readonly CauseCount[], others: number): string {
  const isTimed = causes.some(({ firstMs }) => firstMs !== undefined)
  const text = tableOf(
    ['count', 'group', 'reason', ...(isTimed ? ['first', 'last'] : []), 'sample', 'cause'],
    causes.map(({ count, id, reason, firstMs, lastMs, sample, cause }) => [
      count,
      id,
      reason,
      ...(isTimed ? [timeText(firstMs), timeText(lastMs)] : []),
      sample,
      oneLine(cause),
    ]),
  )
  return others === 0 ? text : `${text}and ${others} letters of further causes\n`
}

/** Text that stays on its line: control characters as escapes, so that no message writes to the terminal. */
export function oneLine(text: string, charsMax = 200): string {
  const shown = text.replace(/\p{Cc}/gu, (one) => JSON.stringify(one).slice(1, -1))
  return shown.length <= charsMax ? shown : `${shown.slice(0, charsMax)}…`
}
