import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { originOf, type Raw } from '../../core/raw.ts'
import type { Format, FormatOptions } from '../format.ts'
import { Entries, RECORDS_PER_BATCH_MAX } from '../framing/entries.ts'
import { jsonFormat } from './format.ts'
import { rewritten, type Rewritten } from '../framing/rewritten.ts'

const NEWLINE = 0x0a

/**
 * JSON, one object a line; a message holds as many records as it has lines that are not blank. The lines are read where
 * they are, by the same ways as JSON, straight into columns where that can be. A message of more than `recordsMax` lines
 * is one dead letter; a line that is no object is one of its own, with that line for its value.
 */
export function jsonLinesFormat(options: FormatOptions, recordsMax: number): Format {
  const lines = rewritten(jsonFormat(options), (raw) => splitLines(raw, recordsMax))
  return { ...lines, name: 'jsonl' }
}

/** The batch with a record for each line. */
function splitLines(raw: Raw, recordsMax: number): Rewritten {
  const entries = new Entries(raw)
  const refused: number[] = []
  const deadLetters: DeadLetter[] = []
  for (let i = 0; i < raw.count; i++) {
    if ((raw.valueStart[i] as number) < 0) {
      entries.add(i, -1, -1)
      continue
    }
    const before = entries.count
    const room = RECORDS_PER_BATCH_MAX - before
    if (addLines(raw, i, entries, Math.min(recordsMax, room))) continue
    entries.truncate(before)
    refused.push(before)
    entries.add(i, -1, -1)
    const expected =
      room < recordsMax
        ? `${RECORDS_PER_BATCH_MAX} records in one fetch`
        : `${recordsMax} records in one message`
    deadLetters.push(deadLetterOf(raw, i, 'decode', `expected at most ${expected}, got more`))
  }
  const { message, framed } = originOf(raw)
  const lines = entries.raw(raw.bytes)
  const { message: messages } = lines.parts
  const alone = (k: number): boolean => messages[k - 1] !== messages[k] && messages[k + 1] !== messages[k]
  const origin = {
    message(k: number): Uint8Array | undefined {
      const i = messages[k] as number
      // A message of one line is kept with all that stands around it.
      if (alone(k)) return message(i)
      return framed(i, raw.bytes.subarray(lines.valueStart[k], lines.valueEnd[k]))
    },
    framed: (k: number, part: Uint8Array) => framed(messages[k] as number, part),
  }
  return { raw: { ...lines, origin }, refused, deadLetters }
}

/** Adds a record for each line of value `i` that is not blank; says false where there are more than `linesMax`. */
function addLines(raw: Raw, i: number, entries: Entries, linesMax: number): boolean {
  const { bytes } = raw
  const end = raw.valueEnd[i] as number
  let left = linesMax
  for (let start = raw.valueStart[i] as number; start < end;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const stop = newline < 0 || newline > end ? end : newline
    if (!isBlank(bytes, start, stop)) {
      if (left-- === 0) return false
      entries.add(i, start, stop)
    }
    start = stop + 1
  }
  return true
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false
  }
  return true
}
