/**
 * Field tables describe the fields of Kafka's protocol messages in all versions as plain data, in wire order. Encoders
 * and decoders are compiled from them, and the types of messages are derived from them.
 */

/** Selects versions: from a version on (`3+`), a closed range (`0-7`) or a single version (`2`). */
type VersionRange = `${number}+` | `${number}-${number}` | `${number}`

/** Names a scalar type. `bytes` and `records` are encoded the same way. */
export type WireScalar =
  'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint16' | 'uuid' | 'string' | 'bytes' | 'records'

/** Describes the type of a field: a scalar, a structure (its own table) or an array (one element type in brackets). */
export type WireType = WireScalar | FieldTable | readonly [WireScalar | FieldTable]

/** Describes a field of a message. */
export interface WireField {
  readonly type: WireType
  /** Versions that carry the field. */
  readonly versions: VersionRange
  /** Versions in which the field may be null. */
  readonly nullable?: VersionRange
  /** Tag of a tagged field (KIP-482); fields without a tag are always encoded. */
  readonly tag?: number
  /** Value if a message does not carry the field. If this is absent: 0, false, '', no bytes or an empty array. */
  readonly default?: number | bigint | boolean | string | null
  /** True if the encoder drops a non-default value in versions that do not carry the field, instead of throwing. */
  readonly ignorable?: true
}

/** Lists the fields of a message or a structure by their names, in wire order. */
export interface FieldTable {
  readonly [name: string]: WireField
}

/** Describes a request and its response in all their versions. */
export interface ApiTable {
  /** API key in request headers. */
  readonly key: number
  /** Oldest and newest version that the tables describe. */
  readonly versions: readonly [oldest: number, newest: number]
  /** First version with compact lengths and tagged fields (KIP-482); absent if no version has them. */
  readonly flexibleFrom?: number
  /**
   * First version in which a throttling broker responds at once and expects the client to pause (KIP-219); in older
   * versions the broker delays the response itself. Absent if responses have no throttle time.
   */
  readonly throttlesFrom?: number
  readonly request: FieldTable
  readonly response: FieldTable
}

/** Represents an absent topic id: 16 zero bytes as hex digits. */
export const NO_UUID = '00000000000000000000000000000000'

interface ScalarValues {
  readonly bool: boolean
  readonly int8: number
  readonly int16: number
  readonly int32: number
  readonly int64: bigint
  readonly uint16: number
  /** 32 hex digits. */
  readonly uuid: string
  readonly string: string
  /** Shares the buffer that it was read from. */
  readonly bytes: Uint8Array
  /** Shares the buffer that it was read from. */
  readonly records: Uint8Array
}

type NullOf<F> = F extends { readonly nullable: string } ? null : never

type ReadValue<T> = T extends keyof ScalarValues
  ? ScalarValues[T]
  : T extends readonly [infer E]
    ? readonly ReadValue<E>[]
    : ReadFields<T>

/**
 * Describes a message that the decoder returns: every field is present; fields missing in the version have defaults.
 */
export type ReadFields<T> = {
  readonly [K in keyof T]: T[K] extends { readonly type: infer U } ? ReadValue<U> | NullOf<T[K]> : never
}

type WrittenValue<T> = T extends keyof ScalarValues
  ? ScalarValues[T]
  : T extends readonly [infer E]
    ? readonly WrittenValue<E>[]
    : WrittenFields<T>

type RequiredKeys<T> = {
  [K in keyof T]: T[K] extends { readonly default: unknown } | { readonly tag: number }
    ? never
    : T[K] extends { readonly versions: '0+' }
      ? K
      : never
}[keyof T]

type WrittenField<F> = F extends { readonly type: infer U } ? WrittenValue<U> | NullOf<F> : never

/**
 * Describes a message that the encoder takes: fields that exist in every version and have no default are required; all
 * others may be omitted and then have their defaults.
 */
export type WrittenFields<T> = {
  readonly [K in RequiredKeys<T>]: WrittenField<T[K]>
} & {
  readonly [K in Exclude<keyof T, RequiredKeys<T>>]?: WrittenField<T[K]> | undefined
}

/** Returns the inclusive bounds of a range of versions; the last is `Infinity` if the range is open. */
export function versionBoundsOf(range: VersionRange): readonly [first: number, last: number] {
  const [first = '', last] = range.split('-')
  if (last !== undefined) return [Number(first), Number(last)]
  return first.endsWith('+') ? [Number(first.slice(0, -1)), Infinity] : [Number(first), Number(first)]
}

/** Returns whether a range includes a version; an absent range includes none. */
export function includesVersion(range: VersionRange | undefined, version: number): boolean {
  if (range === undefined) return false
  const [first, last] = versionBoundsOf(range)
  return version >= first && version <= last
}
