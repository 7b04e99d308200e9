import type { AnyBuilder } from '../../../arrow/builder.ts'
import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { PlainValue } from '../../../contract/columns/plain.ts'
import { decimalOf } from '../../../core/schema.ts'
import { isTimestamp, isZoned } from '../values.ts'
import type { AvroLogical, AvroNode } from '../schema.ts'
import type { AvroPlan, IntegerRange, AvroSymbolTexts } from './plan.ts'

/** Describes a scalar as it is read: the type of its bytes, and of the value that they become. */
export interface ScalarTypes {
  readonly writer: Exclude<AvroNode['kind'], 'null' | 'array' | 'map' | 'union' | 'record' | 'enum'>
  readonly reader: ScalarTypes['writer']
  /** Bytes of a fixed. */
  readonly size: number
  readonly logical: AvroLogical | undefined
  /** True when numbers may be dates and times, as kafka-delta-ingest reads them. */
  readonly isIngest: boolean
}

const INTEGER_RANGES: Readonly<Record<string, IntegerRange>> = {
  byte: { minimum: -128, maximum: 127 },
  short: { minimum: -32_768, maximum: 32_767 },
  integer: { minimum: -2_147_483_648, maximum: 2_147_483_647 },
}

/** Names the form of a value as the contract sees it. */
export type JsonForm = 'boolean' | 'integer' | 'number' | 'string' | 'date' | 'date-time' | 'array' | 'object'

const JSON_TYPES: Readonly<Record<JsonForm, string>> = {
  boolean: 'boolean',
  integer: 'integer',
  number: 'number',
  string: 'string',
  date: 'string',
  'date-time': 'string',
  array: 'array',
  object: 'object',
}

/** Returns true when every value of this form has the type that the contract demands. */
export function hasContractType(plain: PlainValue | undefined, form: JsonForm): boolean {
  if (plain?.format !== undefined && plain.format !== form) return false
  const type = JSON_TYPES[form]
  return plain?.json === undefined || plain.json === type || (plain.json === 'number' && type === 'integer')
}

/** Returns the plan of a scalar for its column, or `undefined` when only objects convert it. */
export function scalarPlan(
  types: ScalarTypes,
  builder: AnyBuilder,
  plain: PlainValue | undefined,
): AvroPlan | undefined {
  const plan =
    builder.kind === 'bytes'
      ? textPlan(types, builder)
      : builder.kind === 'fixed'
        ? numberPlan(types, builder)
        : undefined
  // A contract is never combined with the conversions of kafka-delta-ingest.
  return plan === undefined || types.isIngest || hasContractType(plain, formOf(types)) ? plan : undefined
}

function formOf({ reader, logical }: ScalarTypes): JsonForm {
  switch (reader) {
    case 'boolean':
      return 'boolean'
    case 'int':
      return logical === undefined ? 'integer' : 'date'
    case 'long':
      return logical === undefined ? 'integer' : isZoned(logical) ? 'date-time' : 'string'
    case 'float':
    case 'double':
      return 'number'
    default:
      return logical?.name === 'decimal' ? 'number' : 'string'
  }
}

function textPlan(
  { writer, reader, size, logical }: ScalarTypes,
  builder: BytesBuilder,
): AvroPlan | undefined {
  const { type } = builder
  if (reader === 'string') return type === 'string' ? { kind: 'text', builder, rules: undefined } : undefined
  if (reader !== 'bytes' && reader !== 'fixed') return undefined
  if (logical?.name === 'uuid')
    return type === 'string' && size === 16 ? { kind: 'uuid', builder, rules: undefined } : undefined
  if (logical !== undefined || type !== 'binary') return undefined
  return writer === 'fixed'
    ? { kind: 'fixedBytes', builder, rules: size }
    : { kind: 'bytes', builder, rules: undefined }
}

function numberPlan(types: ScalarTypes, builder: FixedBuilder): AvroPlan | undefined {
  const { writer, reader, logical } = types
  switch (reader) {
    case 'boolean':
      return builder.type === 'boolean' ? { kind: 'boolean', builder, rules: undefined } : undefined
    case 'int':
    case 'long':
      return logical === undefined ? wholePlan(types, builder) : timePlan(logical, writer === 'int', builder)
    case 'float':
    case 'double':
      return fractionPlan(types, builder)
    case 'bytes':
    case 'fixed':
      return logical?.name === 'decimal' ? decimalPlan(types, builder, logical.scale) : undefined
    case 'string':
      return undefined
  }
}

function wholePlan({ writer, isIngest }: ScalarTypes, builder: FixedBuilder): AvroPlan | undefined {
  const { type } = builder
  const isInt = writer === 'int'
  if (type === 'long')
    return isInt ? { kind: 'int', builder, rules: undefined } : { kind: 'long', builder, rules: undefined }
  if (type === 'double' || type === 'float')
    return { kind: 'number', builder, rules: { isInt, isRounded: false } }
  const range = INTEGER_RANGES[type as string]
  if (range !== undefined) return { kind: 'integer', builder, rules: range }
  if (isIngest && type === 'date') return { kind: 'date', builder, rules: undefined }
  if (isIngest && (type === 'timestamp' || type === 'timestamp_ntz'))
    return { kind: 'micros', builder, rules: undefined }
  const decimal = decimalOf(type)
  if (decimal === undefined || decimal.scale < 0 || decimal.scale > 15) return undefined
  const factor = 10 ** decimal.scale
  const limit = Math.min(10 ** decimal.precision, Number.MAX_SAFE_INTEGER)
  return { kind: 'wholeDecimal', builder, rules: { isInt, factor, limit } }
}

/** A time of an int is one that a reader's schema calls a time: its unit is that of the reader. */
function timePlan(logical: AvroLogical, isInt: boolean, builder: FixedBuilder): AvroPlan | undefined {
  const { type } = builder
  if (logical.name === 'date')
    return type === 'date' ? { kind: 'date', builder, rules: undefined } : undefined
  if (!isTimestamp(logical) || type !== (isZoned(logical) ? 'timestamp' : 'timestamp_ntz') || isInt)
    return undefined
  return logical.name.endsWith('millis')
    ? { kind: 'millis', builder, rules: undefined }
    : { kind: 'micros', builder, rules: undefined }
}

function fractionPlan({ writer, reader }: ScalarTypes, builder: FixedBuilder): AvroPlan | undefined {
  const isFloat = builder.type === 'float'
  if (!isFloat && builder.type !== 'double') return undefined
  if (writer === 'int' || writer === 'long')
    return { kind: 'number', builder, rules: { isInt: writer === 'int', isRounded: reader === 'float' } }
  if (writer === 'float') return { kind: 'float', builder, rules: undefined }
  return isFloat
    ? { kind: 'doubleAsFloat', builder, rules: undefined }
    : { kind: 'double', builder, rules: undefined }
}

function decimalPlan(
  { writer, size }: ScalarTypes,
  builder: FixedBuilder,
  scale: number,
): AvroPlan | undefined {
  const decimal = decimalOf(builder.type)
  if (decimal?.scale !== scale) return undefined
  const limit = 10n ** BigInt(decimal.precision)
  return {
    kind: 'decimal',
    builder,
    rules: {
      size: writer === 'fixed' ? size : -1,
      limit: wordsOf(limit),
      limitBelow: wordsOf(limit - 1n),
      limitNumber: Number(limit),
    },
  }
}

function wordsOf(value: bigint): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, word) => Number((value >> BigInt(32 * word)) & 0xffff_ffffn))
}

/** Returns the plan of an enum whose symbols, where known, are these texts. */
export function enumPlan(
  symbols: readonly (string | undefined)[],
  builder: AnyBuilder,
  plain: PlainValue | undefined,
): AvroPlan | undefined {
  if (builder.kind !== 'bytes' || builder.type !== 'string' || !hasContractType(plain, 'string'))
    return undefined
  // A symbol with half of a surrogate pair fits no column.
  const texts = symbols.map((symbol) => (symbol?.isWellFormed() === true ? symbol : undefined))
  const encoded = texts.map((text) => Buffer.from(text ?? '', 'utf8'))
  const starts = new Int32Array(texts.length + 1)
  for (const [i, text] of encoded.entries()) starts[i + 1] = (starts[i] as number) + text.length
  // With a word behind the last symbol, so that each is copied in words.
  const all = new Uint8Array((starts[texts.length] as number) + 4)
  for (const [i, text] of encoded.entries()) all.set(text, starts[i])
  const rules: AvroSymbolTexts = {
    view: new DataView(all.buffer),
    starts,
    isKnown: Uint8Array.from(texts, (text) => (text === undefined ? 0 : 1)),
  }
  return { kind: 'enum', builder, rules: rules }
}
