import { isContainer } from '../avro/container.ts'
import { isSingleObject } from '../avro/format.ts'
import { afterBom } from '../json/json-input.ts'
import type { FormatSettings } from '../settings.ts'

/** Describes one candidate for the form of a value: a format with a framing. */
export interface FormatCandidate {
  readonly format: string
  readonly framing: FormatSettings['framing']
  /** The magic bytes of such values; absent when only decoding can identify them. */
  readonly magic?: MagicBytes
  /** Order in which candidates without magic bytes are tried; candidates of equal rank keep the order of the list. */
  readonly rank: number
}

/** Describes bytes that identify a form for certain: a value that begins with them has no candidates without them. */
export interface MagicBytes {
  /** Completes the sentence "expected …". */
  readonly expected: string
  matches(value: Uint8Array): boolean
}

const BRACE: MagicBytes = {
  expected: 'a brace first',
  matches: (value) => firstByte(value) === 0x7b || isNull(value),
}
const CONTAINER: MagicBytes = { expected: 'the magic bytes of a container', matches: isContainer }
const SINGLE_OBJECT: MagicBytes = { expected: 'the magic bytes c301', matches: isSingleObject }
/** A schema id in the headers of a record counts like one in front of its value. */
export const SCHEMA_ID: MagicBytes = {
  expected: 'a zero byte and a schema id',
  matches: (value) => value[0] === 0 && value.length >= 5,
}

/** All magic bytes, in the order in which they are checked. */
export const MAGIC_BYTES_IN_ORDER: readonly MagicBytes[] = [CONTAINER, SINGLE_OBJECT, SCHEMA_ID, BRACE]

const TEXT = 1
const BINARY = 2
const ANYTHING = 3

/** Formats whose values may be framed with the id of a schema in the registry. */
const REGISTRY_FORMATS: ReadonlySet<string> = new Set(['json', 'jsonl', 'avro', 'protobuf'])

/**
 * Returns true when decoding may ask the schema registry, if one is configured: with the framing `registry`, or when
 * one of the candidate formats may have that framing.
 */
export function mayNeedRegistry({ framing, formats }: Pick<FormatSettings, 'framing' | 'formats'>): boolean {
  return framing === 'registry' || formats?.some((format) => REGISTRY_FORMATS.has(format)) === true
}

/** Returns the candidates for values of a format, as far as the settings say how to decode them. */
export function candidatesOf(format: string, settings: FormatSettings): readonly FormatCandidate[] {
  const { avro, protobuf, schemaRegistry } = settings
  const framed: readonly FormatCandidate[] =
    schemaRegistry === undefined || !REGISTRY_FORMATS.has(format)
      ? []
      : [{ format, framing: 'registry', magic: SCHEMA_ID, rank: 0 }]
  const bare = (rank: number, readable = true): readonly FormatCandidate[] =>
    readable ? [{ format, framing: 'none', rank }] : []
  switch (format) {
    case 'json':
    case 'jsonl':
      return [...framed, { format, framing: 'none', magic: BRACE, rank: 0 }]
    case 'avro':
      return [
        { format, framing: 'container', magic: CONTAINER, rank: 0 },
        ...(avro.schemas === undefined
          ? []
          : [{ format, framing: 'single-object', magic: SINGLE_OBJECT, rank: 0 } as const]),
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

/** Returns true for the JSON null, which is a tombstone like a missing value. */
function isNull(value: Uint8Array): boolean {
  const at = afterBom(value, 0, value.length)
  return value.length === at + 4 && value[at] === 0x6e && Buffer.from(value).toString('latin1', at) === 'null'
}

/** Returns the first byte that is not white space, behind a byte order mark. */
function firstByte(value: Uint8Array): number | undefined {
  // A plain loop, because it runs for every value.
  for (let at = afterBom(value, 0, value.length); at < value.length; at++) {
    const byte = value[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
  }
  return undefined
}
