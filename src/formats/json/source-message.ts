import { parseExact } from './exact.ts'
import { afterBom } from './json-input.ts'
import type { SourceColumns } from '../sources.ts'

/** Returns the message of row `row` as an object, as the format would have decoded it. */
export function sourceMessageOf(sources: SourceColumns, row: number): object {
  const { bytes, recordStarts, recordEnds, keepFractions } = sources
  const end = recordEnds[row] as number
  const start = afterBom(bytes, recordStarts[row] as number, end)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
  return parseExact(text, { keepFractions }) as object
}
