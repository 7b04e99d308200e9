import type { AnyBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { Column } from '../../arrow/column.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { decimalOf, type DataType } from '../../core/schema.ts'
import { daysInText, microsInText, putInstantText } from './time-text.ts'
import { VALUE_KINDS, ValueVector } from './value-vector.ts'

const INTEGER_MAX: Readonly<Record<string, number>> = { byte: 2 ** 7, short: 2 ** 15, integer: 2 ** 31 }

/** Appends value `i` to a column that is not null there; returns false, and appends nothing, when objects must decide. */
type AppendResult = (values: ValueVector, i: number) => boolean

/**
 * Builds the column of a transform from its results. A row is marked in `suspect`, and null in the column, when only
 * the way of objects knows its value: it does not fit, or it is converted in a way that is rare.
 */
export class ResultColumn {
  readonly #builder: AnyBuilder
  readonly #append: AppendResult | undefined
  readonly #nullable: boolean

  /** Creates an empty column. Values of `type` that are not supported mark every row that is not null. */
  constructor(builder: AnyBuilder, nullable: boolean) {
    this.#builder = builder
    this.#nullable = nullable
    this.#append =
      builder.kind === 'bytes'
        ? textAppender(builder)
        : builder.kind === 'fixed'
          ? fixedAppender(builder)
          : undefined
  }

  /** Returns true when values of a type can be written to a column. */
  static supports(type: DataType): boolean {
    return typeof type === 'string' && type !== 'binary' && type !== 'timestamp_ntz'
  }

  build(values: ValueVector, suspect: Uint8Array): Column {
    const builder = this.#builder
    const append = this.#append
    for (let i = 0; i < values.length; i++) {
      const isNull = values.kinds[i] === VALUE_KINDS.null
      if (!isNull && append?.(values, i) === true) continue
      builder.appendNull()
      if (!isNull || !this.#nullable) suspect[i] = 1
    }
    return builder.finish()
  }
}

function textAppender(builder: BytesBuilder): AppendResult | undefined {
  if (builder.type !== 'string') return undefined
  const texts = new ValueVector()
  return (values, i) => {
    if (values.kinds[i] === VALUE_KINDS.text) {
      builder.appendBytes(values.bytes, values.starts[i] as number, values.ends[i] as number)
      return true
    }
    if (values.kinds[i] !== VALUE_KINDS.instant) return false
    texts.reset(1)
    putInstantText(texts, 0, values.numbers[i] as number)
    builder.appendBytes(texts.bytes, texts.starts[0] as number, texts.ends[0] as number)
    return true
  }
}

const isNumeric = (kind: number | undefined): boolean =>
  kind === VALUE_KINDS.number || kind === VALUE_KINDS.fraction

function fixedAppender(builder: FixedBuilder): AppendResult | undefined {
  switch (builder.type) {
    case 'boolean':
      return ({ kinds }, i) => {
        if (kinds[i] !== VALUE_KINDS.true && kinds[i] !== VALUE_KINDS.false) return false
        builder.appendNumber(kinds[i] === VALUE_KINDS.true ? 1 : 0)
        return true
      }
    case 'byte':
    case 'short':
    case 'integer':
      return integerAppender(builder, INTEGER_MAX[builder.type] as number)
    case 'long':
      return ({ kinds, numbers }, i) => {
        if (!isNumeric(kinds[i]) || !Number.isSafeInteger(numbers[i])) return false
        builder.appendSafe(numbers[i] as number)
        return true
      }
    case 'float':
    case 'double':
      return ({ kinds, numbers }, i) => {
        const number = numbers[i] as number
        if (!isNumeric(kinds[i]) || !Number.isFinite(builder.type === 'float' ? Math.fround(number) : number))
          return false
        builder.appendNumber(number)
        return true
      }
    case 'date':
      return ({ kinds, bytes, starts, ends }, i) => {
        if (kinds[i] !== VALUE_KINDS.text) return false
        const days = daysInText(bytes, starts[i] as number, ends[i] as number)
        if (Number.isNaN(days)) return false
        builder.appendNumber(days)
        return true
      }
    case 'timestamp':
      return timestampAppender(builder)
    default:
      return decimalOf(builder.type) === undefined ? undefined : decimalAppender(builder)
  }
}

/** The builder refuses numbers that the type does not hold exactly. */
function decimalAppender(builder: FixedBuilder): AppendResult {
  return ({ kinds, numbers }, i) => {
    const { length } = builder
    if (!isNumeric(kinds[i])) return false
    if (builder.append(numbers[i]) === undefined) return true
    builder.truncate(length)
    return false
  }
}

function integerAppender(builder: FixedBuilder, bound: number): AppendResult {
  return ({ kinds, numbers }, i) => {
    const number = numbers[i] as number
    if (!isNumeric(kinds[i]) || !Number.isInteger(number) || number < -bound || number >= bound) return false
    builder.appendNumber(number)
    return true
  }
}

/** Integers are microseconds since the epoch. */
function timestampAppender(builder: FixedBuilder): AppendResult {
  return ({ kinds, numbers, bytes, starts, ends }, i) => {
    const kind = kinds[i]
    const micros =
      kind === VALUE_KINDS.text
        ? microsInText(bytes, starts[i] as number, ends[i] as number)
        : kind === VALUE_KINDS.instant || isNumeric(kind)
          ? (numbers[i] as number)
          : NaN
    if (!Number.isSafeInteger(micros)) return false
    builder.appendSafe(micros)
    return true
  }
}
