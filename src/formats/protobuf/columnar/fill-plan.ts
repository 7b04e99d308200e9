import { decimalOf } from '../../../core/schema.ts'
import type { AnyBuilder } from '../../../arrow/builder.ts'
import type { FillPlan, SymbolTexts, TextRange } from './value-plan.ts'

/** Bytes after a text that a copy by words may read. */
const WORD_BYTES = 4

/** Returns the text as bytes to copy from. */
export function textRangeOf(text: string | Uint8Array): TextRange {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const padded = new Uint8Array(bytes.length + WORD_BYTES)
  padded.set(bytes)
  return { bytes: padded, view: new DataView(padded.buffer), start: 0, end: bytes.length }
}

/** Returns the symbols of an enumeration as bytes to copy from. */
export function symbolTextsOf(symbols: ReadonlyMap<number, string>): SymbolTexts {
  const texts: TextRange[] = []
  const dense = new Uint16Array(256)
  const others = new Map<number, number>()
  for (const [number, symbol] of symbols) {
    texts.push(textRangeOf(symbol))
    if (number >= 0 && number < dense.length) dense[number] = texts.length
    else others.set(number, texts.length)
  }
  return { texts, dense, others }
}

/**
 * Returns how a column gets a value that is known before any record: a default, or what an absent part of a map entry or a
 * wrapper means. It is refused when the column would not take it.
 */
export function fillPlanOf(builder: AnyBuilder, value: unknown): FillPlan {
  if (value === null || value === undefined) return { kind: 'null' }
  if (builder.kind === 'bytes') return textFill(builder.type === 'binary', value)
  if (builder.kind !== 'fixed') return { kind: 'refused' }
  if (typeof value === 'boolean')
    return builder.type === 'boolean' ? { kind: 'number', value: value ? 1 : 0 } : { kind: 'refused' }
  if (typeof value !== 'number' && typeof value !== 'bigint') return { kind: 'refused' }
  if (builder.type === 'double' || builder.type === 'float') {
    const number = Number(value)
    const stored = builder.type === 'float' ? Math.fround(number) : number
    // A contract sees the default as it is written, not as a float rounds it.
    return Number.isFinite(stored) && stored === number
      ? { kind: 'number', value: number }
      : { kind: 'refused' }
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return { kind: 'refused' }
  const scaled = BigInt(value) * 10n ** BigInt(decimalOf(builder.type)?.scale ?? 0)
  if (builder.words === 1) return { kind: 'number', value: Number(scaled) }
  const low = Number(BigInt.asIntN(32, scaled))
  return { kind: 'words', low, high: Number(BigInt.asIntN(32, scaled >> 32n)) }
}

function textFill(isBinary: boolean, value: unknown): FillPlan {
  if (typeof value !== 'string' || !value.isWellFormed()) return { kind: 'refused' }
  return { kind: 'text', text: textRangeOf(isBinary ? Buffer.from(value, 'base64') : value) }
}
