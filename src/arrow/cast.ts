import { PipelineError } from '../core/errors.ts'
import { type DataType, decimalOf, typeName } from '../core/schema.ts'
import { toJsonText } from '../core/json-text.ts'
import { isWider } from '../core/widening.ts'
import { BytesBuilder } from './bytes-builder.ts'
import { fixedLayoutOf, isNull, type Column, type FixedColumn } from './column.ts'
import { nullColumnOf } from './sparse/null-column.ts'
import { unscaledAt } from './decimal.ts'
import { countValues } from './sparse/sparse-column.ts'
import { DAY_MICROS } from './time.ts'
import { longAt, valueAt } from './values.ts'

/**
 * Tells whether values of one type can be cast to another: to a type that holds them all, from long to double because
 * JSON numbers are read that way anyway, and from any type to string.
 */
export function canCast(from: DataType, to: DataType): boolean {
  const wide = typeName(from)
  return to === 'string' || (wide === 'long' && to === 'double') || isWider(wide, typeName(to))
}

/**
 * Casts a column to another type. In a string column, other values become their JSON text, without null fields of
 * structs. A column without values can be cast to any type.
 * @throws KD_SCHEMA_MISMATCH unless `canCast` allows it
 */
export function castColumn(column: Column, to: DataType): Column {
  if (countValues(column) === 0) return nullColumnOf(to, column.length)
  if (to === 'string') return textColumn(column)
  const layout = fixedLayoutOf(to)
  const from = typeName(column.type)
  if (column.kind !== 'fixed' || layout === undefined || !canCast(column.type, to)) {
    throw new PipelineError('KD_SCHEMA_MISMATCH', `expected ${typeName(to)}, got a column of ${from}`)
  }
  const { length, valid } = column
  const values = layout.make(length * layout.words)
  const cast: FixedColumn = { kind: 'fixed', type: to, length, valid, words: layout.words, values }
  if (layout.words === 1) {
    for (let row = 0; row < length; row++) values[row] = numberAt(column, row)
    return cast
  }
  if (column.words === 1 && layout.words === 2 && from !== 'date') {
    for (let row = 0; row < length; row++) {
      const value = column.values[row] as number
      values[row * 2] = value
      values[row * 2 + 1] = value < 0 ? -1 : 0
    }
    return cast
  }
  const scaled = scaleBetween(column.type, to)
  for (let row = 0; row < length; row++) {
    if (isNull(column, row)) continue
    let value = integerAt(column, row) * scaled
    for (let word = 0; word < layout.words; word++, value >>= 32n)
      values[row * layout.words + word] = Number(BigInt.asIntN(32, value))
  }
  return cast
}

function numberAt({ values, words }: FixedColumn, row: number): number {
  return words === 1 ? (values[row] as number) : Number(longAt(values, row))
}

function integerAt({ values, words }: FixedColumn, row: number): bigint {
  if (words === 4) return unscaledAt(values, row * 4)
  return words === 2 ? longAt(values, row) : BigInt(values[row] as number)
}

/** Returns the factor that converts an integer of one type to the other. */
function scaleBetween(from: DataType, to: DataType): bigint {
  if (from === 'date') return BigInt(DAY_MICROS)
  return 10n ** BigInt((decimalOf(to)?.scale ?? 0) - (decimalOf(from)?.scale ?? 0))
}

function textColumn(column: Column): Column {
  const builder = new BytesBuilder('string')
  for (let row = 0; row < column.length; row++) {
    const value = valueAt(column, row)
    if (value === null) builder.appendNull()
    else builder.append(typeof value === 'string' ? value : toJsonText(value, { nulls: false }))
  }
  return builder.finish()
}
