import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import type { Changing } from '../../core/changing.ts'
import { originOf, type Raw } from '../../core/raw.ts'
import type { Format, FormatOptions } from '../format.ts'
import { RecordCollector, RECORDS_PER_BATCH_MAX } from '../framing/record-collector.ts'
import { jsonFormat } from './format.ts'
import { afterBom } from './json-input.ts'
import { withRewrittenValues, type RewrittenBatch } from '../framing/rewrite-values.ts'

const NEWLINE = 0x0a

/**
 * Returns the JSON Lines format: one object per line, and one record per line that is not blank. Lines are decoded in
 * place like JSON, directly into columns where possible. A message of more than `recordsMax` lines is one dead
 * letter. A line that is not an object is a dead letter of its own whose value is that line.
 */
export function jsonLinesFormat(
  options: FormatOptions | Changing<FormatOptions>,
  recordsMax: number,
): Format {
  const lines = withRewrittenValues(jsonFormat(options), (raw) => splitLines(raw, recordsMax))
  return { ...lines, name: 'jsonl' }
}

/** Returns the batch with a record for each line. */
function splitLines(raw: Raw, recordsMax: number): RewrittenBatch {
  const entries = new RecordCollector(raw)
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
  const { messageIndex: messages } = lines.parts
  const alone = (k: number): boolean => messages[k - 1] !== messages[k] && messages[k + 1] !== messages[k]
  const origin = {
    message(k: number): Uint8Array | undefined {
      const i = messages[k] as number
      // A message of one line keeps its original value, including blank lines.
      if (alone(k)) return message(i)
      return framed(i, raw.bytes.subarray(lines.valueStart[k], lines.valueEnd[k]))
    },
    framed: (k: number, part: Uint8Array) => framed(messages[k] as number, part),
  }
  return { raw: { ...lines, origin }, refused, deadLetters }
}

/** Adds a record for each line of value `i` that is not blank. Returns false when there are more than `linesMax`. */
function addLines(raw: Raw, i: number, entries: RecordCollector, linesMax: number): boolean {
  const { bytes } = raw
  const end = raw.valueEnd[i] as number
  let left = linesMax
  for (let start = afterBom(bytes, raw.valueStart[i] as number, end); start < end;) {
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
