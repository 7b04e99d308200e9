import { PipelineError } from '../core/errors.ts'
import { type DataType, decimalOf, type StructField } from '../core/schema.ts'

/** Digits that hold every value of an integer type. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['byte', 10],
  ['short', 10],
  ['integer', 10],
  ['long', 20],
])

/** Every wider type that values of a type may be read as, decimals aside. Spec: "Type Widening". */
const WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ['byte', ['short', 'integer', 'long', 'double']],
  ['short', ['integer', 'long', 'double']],
  ['integer', ['long', 'double']],
  ['float', ['double']],
  ['date', ['timestamp_ntz']],
])

/**
 * Refuses a table whose schema records a change of type that the specification does not know: its files could not be
 * read rightly. Throws `KD_TABLE_UNSUPPORTED` with the column, `KD_TABLE_CORRUPT` for a record that is none.
 * Spec: "Reader Requirements for Type Widening".
 */
export function checkTypeChanges(type: DataType, path = ''): void {
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      for (const field of type.fields) {
        const column = path === '' ? field.name : `${path}.${field.name}`
        checkField(field, column)
        checkTypeChanges(field.type, column)
      }
      return
    case 'array':
      checkTypeChanges(type.elementType, `${path}.element`)
      return
    case 'map':
      checkTypeChanges(type.keyType, `${path}.key`)
      checkTypeChanges(type.valueType, `${path}.value`)
  }
}

function checkField(field: StructField, column: string): void {
  const changes = field.metadata['delta.typeChanges'] ?? []
  if (!Array.isArray(changes)) throw corrupt(column)
  for (const change of changes as readonly unknown[]) {
    if (typeof change !== 'object' || change === null) throw corrupt(column)
    const { fromType: from, toType: to } = change as { fromType?: unknown; toType?: unknown }
    if (typeof from !== 'string' || typeof to !== 'string') throw corrupt(column)
    if (isWider(from, to)) continue
    const detail = `typeWidening from ${from} to ${to} is not known`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { column })
  }
}

/** Whether a type may be widened to another. */
export function isWider(from: string, to: string): boolean {
  const wanted = decimalOf(to as DataType)
  if (wanted === undefined) return WIDER.get(from)?.includes(to) === true
  const whole = wanted.precision - wanted.scale
  const own = decimalOf(from as DataType)
  if (own === undefined) return whole >= (DIGITS.get(from) ?? Infinity)
  return wanted.scale >= own.scale && whole >= own.precision - own.scale
}

function corrupt(column: string): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', 'delta.typeChanges is not a list of changes', { column })
}
