import type { DataType } from '../core/schema.ts'
import type { Column } from '../arrow/column.ts'
import { columnOfPacked } from '../arrow/sparse/sparse-column.ts'

/**
 * Returns the buffers of columns, each once, for the transfer to another thread, which detaches them here. The columns must
 * own their buffers, as those of builders and of `gather` do.
 */
export function buffersOf(columns: readonly Column[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const column of columns) addBuffers(column, buffers)
  return [...buffers]
}

function addBuffers(column: Column, buffers: Set<ArrayBuffer>): void {
  if ((column.kind === 'fixed' || column.kind === 'bytes') && column.sparse !== undefined) {
    add(column.sparse.rows, buffers)
    addBuffers(column.sparse.packed, buffers)
    return
  }
  add(column.valid, buffers)
  switch (column.kind) {
    case 'fixed':
      add(column.values, buffers)
      break
    case 'bytes':
      add(column.offsets, buffers)
      add(column.bytes, buffers)
      break
    case 'struct':
      for (const child of column.children) addBuffers(child, buffers)
      break
    case 'list':
      add(column.offsets, buffers)
      addBuffers(column.child, buffers)
      break
    case 'map':
      add(column.offsets, buffers)
      addBuffers(column.keys, buffers)
      addBuffers(column.values, buffers)
      break
  }
}

/** An empty array may share its buffer with others, and has nothing to transfer. */
function add(array: ArrayBufferView | undefined, buffers: Set<ArrayBuffer>): void {
  if (array !== undefined && array.byteLength > 0) buffers.add(array.buffer as ArrayBuffer)
}

/**
 * Returns a column without the descriptions of its nested types, which a message between threads would copy with every
 * column, and without the methods of one in sparse form, which no message carries. `withType` restores both.
 */
export function withoutType(column: Column): Column {
  const type = typeof column.type === 'string' ? column.type : 'string'
  switch (column.kind) {
    case 'fixed': {
      const { sparse, length } = column
      return sparse === undefined ? column : { ...sparse.packed, length, sparse }
    }
    case 'bytes': {
      const { sparse, length } = column
      return sparse === undefined ? column : { ...sparse.packed, length, sparse }
    }
    case 'struct':
      return { ...column, type, children: column.children.map(withoutType) }
    case 'list':
      return { ...column, type, child: withoutType(column.child) }
    case 'map':
      return { ...column, type, keys: withoutType(column.keys), values: withoutType(column.values) }
  }
}

/** Returns a column whose nested types are those of `type`, the type of the column before `withoutType`. */
export function withType(column: Column, type: DataType): Column {
  if (column.kind === 'fixed' || column.kind === 'bytes') {
    const { sparse, length } = column
    return sparse === undefined ? column : columnOfPacked(sparse.packed, sparse.rows, length)
  }
  if (typeof type === 'string') return column
  if (column.kind === 'struct' && type.type === 'struct') {
    const children = column.children.map((child, index) => {
      const field = type.fields[index]
      return field === undefined ? child : withType(child, field.type)
    })
    return { ...column, type, children }
  }
  if (column.kind === 'list' && type.type === 'array')
    return { ...column, type, child: withType(column.child, type.elementType) }
  if (column.kind === 'map' && type.type === 'map') {
    const keys = withType(column.keys, type.keyType)
    return { ...column, type, keys, values: withType(column.values, type.valueType) }
  }
  return column
}
