import type { Raw } from '../../core/raw.ts'

/** Identifies a schema in a registry: by its number, or by its GUID in lower case with hyphens. */
export type SchemaId = number | string

/** Says which schema a value was written with. */
export interface NamedSchema {
  readonly id: SchemaId
  /** Position of the content in the value. */
  readonly start: number
  /** The bytes after the id in the header of the record; absent when the id precedes the content. */
  readonly suffix?: Uint8Array
}

/** Length of the prefix of a value: a zero byte and the big-endian id of its schema. */
export const REGISTRY_PREFIX_BYTES = 5
/** Length of the id in a header when it is a GUID: a one byte and sixteen more. */
const GUID_BYTES = 17

/** Names the headers that hold the id of a schema instead of a prefix, as Confluent's serializers write them. */
const HEADERS = { value: '__value_schema_id', key: '__key_schema_id' } as const

/** Returns the schema id in the headers of record `i`, or `undefined` when they hold none. */
export function schemaHeaderOf(raw: Raw, i: number, part: 'value' | 'key' = 'value'): Uint8Array | undefined {
  const found: unknown = raw.headers?.[i]?.[HEADERS[part]]
  // Of several values of one name the last counts.
  const last: unknown = Array.isArray(found) ? found.at(-1) : found
  return last instanceof Uint8Array ? last : undefined
}

/**
 * Returns the schema that value `i` names: in its headers, otherwise in its prefix. Throws when there is neither, or when
 * it is cut.
 */
export function namedSchemaOf(value: Uint8Array, raw: Raw, i: number): NamedSchema {
  const header = schemaHeaderOf(raw, i)
  if (header !== undefined) return schemaInHeader(header)
  if (value[0] !== 0)
    throw new Error(`expected the zero byte in front of a schema id, got ${foundIn(value, raw, i)}`)
  if (value.length < REGISTRY_PREFIX_BYTES) throw new Error('expected a schema id of four bytes, got the end')
  return { id: uint32Of(value), start: REGISTRY_PREFIX_BYTES }
}

/** Returns the schema id that value `i` names, or `undefined` when it names none. Never throws. */
export function schemaIdIn(value: Uint8Array, raw: Raw, i: number): SchemaId | undefined {
  if (raw.headers === undefined)
    return value[0] === 0 && value.length >= REGISTRY_PREFIX_BYTES ? uint32Of(value) : undefined
  try {
    return namedSchemaOf(value, raw, i).id
  } catch {
    return undefined
  }
}

function schemaInHeader(header: Uint8Array): NamedSchema {
  if (header[0] === 0 && header.length >= REGISTRY_PREFIX_BYTES)
    return { id: uint32Of(header), start: 0, suffix: header.subarray(REGISTRY_PREFIX_BYTES) }
  if (header[0] === 1 && header.length >= GUID_BYTES) {
    const hex = Buffer.from(header.subarray(1, GUID_BYTES)).toString('hex')
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    return { id, start: 0, suffix: header.subarray(GUID_BYTES) }
  }
  const shown = Buffer.from(header.subarray(0, GUID_BYTES)).toString('hex')
  throw new Error(
    `expected a schema id (00 and 4 bytes) or a GUID (01 and 16 bytes) in the header ${HEADERS.value}, got ${header.length} bytes ${shown}`,
  )
}

/** The big-endian number after the first byte. */
function uint32Of(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}

/** Returns the framing of a value that this program does not support, or `none`. */
function foundIn(value: Uint8Array, raw: Raw, i: number): string {
  const apicurio = Object.keys(raw.headers?.[i] ?? {}).find((name) => APICURIO_HEADER.test(name))
  if (apicurio !== undefined) return `the header ${apicurio} of Apicurio, which is not supported`
  const isGlue = value[0] === 3 && (value[1] === 0 || value[1] === 5) && value.length >= GLUE_PREFIX_BYTES
  return isGlue ? "the prefix of AWS Glue's schema registry, which is not supported" : 'none'
}

const APICURIO_HEADER = /^apicurio\.value\.(?:globalId|contentId|artifactId|contentHash)$/
/** Glue writes 3, then 0 or 5 for the compression, then a UUID. */
const GLUE_PREFIX_BYTES = 18
