import { isContainer } from '../avro/container.ts'
import { isSingleObject } from '../avro/format.ts'
import type { FormatSettings } from '../settings.ts'

/** One way in which a value may be written: a format behind one framing. */
export interface Way {
  readonly format: string
  readonly framing: FormatSettings['framing']
  /** By which bytes a value of this way is known; absent where only reading tells. */
  readonly mark?: Mark
  /** Those that only reading tells are tried in this order, and in that of the list where it is the same. */
  readonly rank: number
}

/** Bytes by which values are known for certain: one that bears them is of no way without them. */
export interface Mark {
  /** Completes the sentence "expected …". */
  readonly expected: string
  is(value: Uint8Array): boolean
}

const BRACE: Mark = {
  expected: 'a brace first',
  is: (value) => firstByte(value) === 0x7b || isNull(value),
}
const CONTAINER: Mark = { expected: 'the mark of a container', is: isContainer }
const SINGLE_OBJECT: Mark = { expected: 'the mark c301', is: isSingleObject }
const SCHEMA_ID: Mark = {
  expected: 'a zero byte and a schema id',
  is: (value) => value[0] === 0 && value.length >= 5,
}

/** Marks in the order in which they are looked for. */
export const MARKS: readonly Mark[] = [CONTAINER, SINGLE_OBJECT, SCHEMA_ID, BRACE]

const TEXT = 1
const BINARY = 2
const ANYTHING = 3

/** The ways in which values of a format may come, as far as the settings say how to read them. */
export function waysOf(format: string, settings: FormatSettings): readonly Way[] {
  const { avro, protobuf, schemaRegistry } = settings
  const framed: readonly Way[] =
    schemaRegistry === undefined ? [] : [{ format, framing: 'registry', mark: SCHEMA_ID, rank: 0 }]
  const bare = (rank: number, readable = true): readonly Way[] =>
    readable ? [{ format, framing: 'none', rank }] : []
  switch (format) {
    case 'json':
    case 'jsonl':
      return [...framed, { format, framing: 'none', mark: BRACE, rank: 0 }]
    case 'avro':
      return [
        { format, framing: 'container', mark: CONTAINER, rank: 0 },
        ...(avro.schemas === undefined
          ? []
          : [{ format, framing: 'single-object', mark: SINGLE_OBJECT, rank: 0 } as const]),
        ...framed,
        ...bare(BINARY, avro.schema !== undefined),
      ]
    case 'protobuf':
      return [...framed, ...bare(BINARY, protobuf?.schema !== undefined)]
    case 'bytes':
      return bare(ANYTHING)
    default:
      return bare(TEXT)
  }
}

/** Whether a value is the JSON null, which says as much as no value at all. */
function isNull(value: Uint8Array): boolean {
  return value.length === 4 && value[0] === 0x6e && Buffer.from(value).toString('latin1') === 'null'
}

/** The first byte that is no white space. */
function firstByte(value: Uint8Array): number | undefined {
  // A loop: this is asked of every value.
  for (let at = 0; at < value.length; at++) {
    const byte = value[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
  }
  return undefined
}
