import type { DataType } from '../../core/schema.ts'
import { fixedLayoutOf, type Column } from '../column.ts'
import { columnOfPacked } from './sparse-column.ts'

/** Creates a column of nulls. */
export function nullColumnOf(type: DataType, length: number): Column {
  const layout = fixedLayoutOf(type)
  const none = { type, length: 0, valid: undefined }
  if (layout !== undefined) {
    const { words, make } = layout
    return columnOfPacked({ kind: 'fixed', ...none, words, values: make(0) }, new Int32Array(0), length)
  }
  if (typeof type === 'string') {
    const packed = { kind: 'bytes', ...none, offsets: new Int32Array(1), bytes: new Uint8Array(0) } as const
    return columnOfPacked(packed, new Int32Array(0), length)
  }
  const valid = new Uint8Array(length)
  const offsets = new Int32Array(length + 1)
  switch (type.type) {
    case 'struct':
      return {
        kind: 'struct',
        type,
        length,
        valid,
        children: type.fields.map((field) => nullColumnOf(field.type, length)),
      }
    case 'array':
      return { kind: 'list', type, length, valid, offsets, child: nullColumnOf(type.elementType, 0) }
    case 'map':
      return {
        kind: 'map',
        type,
        length,
        valid,
        offsets,
        keys: nullColumnOf(type.keyType, 0),
        values: nullColumnOf(type.valueType, 0),
      }
  }
}
