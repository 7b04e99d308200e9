import { type DataType, type StructField, type StructType, typeName } from '../core/schema.ts'
import { castColumn } from './cast.ts'
import type {
  BytesColumn,
  Column,
  Columns,
  FixedColumn,
  ListColumn,
  MapColumn,
  StructColumn,
} from './column.ts'
import { fixedLayoutOf } from './column.ts'
import { nullColumnOf } from './sparse/null-column.ts'
import { columnOfPacked, isMostlyNull, packedOf, SPARSE_ROWS_MIN } from './sparse/sparse-column.ts'

/** A `RowPick` selects rows of one column: those at `rows`, or all from `start` to `end` if `rows` is absent. */
export interface RowPick<C extends Column = Column> {
  readonly column: C
  readonly rows?: Int32Array | undefined
  readonly start: number
  readonly end: number
}

/**
 * Picks rows of the column with this name, or of nulls if there is none: those at `rows`, or all from `start` to `end` if
 * `rows` is absent.
 */
export function pickByName(
  { schema, columns }: Columns,
  { name, type }: Pick<StructField, 'name' | 'type'>,
  { rows, start, end }: Omit<RowPick, 'column'>,
): RowPick {
  const column = columns[indexIn(schema, name)]
  return column === undefined
    ? { column: nullColumnOf(type, end - start), start: 0, end: end - start }
    : { column, rows, start, end }
}

/** Returns the values of a column at `rows`, in that order. */
export function takeValues(column: Column, rows: Int32Array): Column {
  return gather(column.type, [pickAll(column, rows)])
}

function pickAll(column: Column, rows: Int32Array): RowPick {
  return { column, rows, start: 0, end: rows.length }
}

/** Returns the number of rows of a pick. */
function countOf(pick: RowPick): number {
  return pick.end - pick.start
}

/**
 * Gathers the picked rows in one column, in the order of the picks: joins batches, splits table partitions and sorts
 * rows with a single copy. With `rows`, `start` and `end` bound the part of `rows` that is used. Rows of another type
 * are cast; fields of structs are found by name, without regard to case, and are null if the rows lack them.
 * @throws KD_SCHEMA_MISMATCH if `castColumn` does not support the cast
 */
export function gather(type: DataType, given: readonly RowPick[]): Column {
  const picks = given.some(({ column }) => needsCast(column.type, type))
    ? given.map((pick) => (needsCast(pick.column.type, type) ? castPick(pick, type) : pick))
    : given
  const length = picks.reduce((sum, pick) => sum + countOf(pick), 0)
  const sparse = gatherSparse(type, picks, length)
  if (sparse !== undefined) return sparse
  const valid = gatherValid(picks, length)
  const kind = picks[0]?.column.kind ?? emptyKind(type)
  switch (kind) {
    case 'fixed':
      return gatherFixed(type, picks as readonly RowPick<FixedColumn>[], length, valid)
    case 'bytes':
      return gatherBytes(type, picks as readonly RowPick<BytesColumn>[], length, valid)
    case 'struct':
      return gatherStruct(type, picks as readonly RowPick<StructColumn>[], length, valid)
    case 'list': {
      const { offsets, inner } = gatherOffsets(picks as readonly RowPick<ListColumn>[], length)
      const child = gather(
        elementOf(type),
        inner.map(({ pick, rows }) => pickAll((pick.column as ListColumn).child, rows)),
      )
      return { kind, type, length, valid, offsets, child }
    }
    case 'map': {
      const { offsets, inner } = gatherOffsets(picks as readonly RowPick<MapColumn>[], length)
      const [keyType, valueType] = entryOf(type)
      const part = (side: 'keys' | 'values'): RowPick[] =>
        inner.map(({ pick, rows }) => pickAll((pick.column as MapColumn)[side], rows))
      return {
        kind,
        type,
        length,
        valid,
        offsets,
        keys: gather(keyType, part('keys')),
        values: gather(valueType, part('values')),
      }
    }
  }
}

/** Gathers columns that are mostly null by their values alone; returns `undefined` when this saves nothing. */
function gatherSparse(type: DataType, picks: readonly RowPick[], length: number): Column | undefined {
  let hasSparse = false
  let nulls = 0
  for (const { column, rows, start, end } of picks) {
    if (column.kind !== 'fixed' && column.kind !== 'bytes') return undefined
    if (column.sparse === undefined) {
      // A short column has no sparse form, however many nulls it has.
      if (rows !== undefined || column.valid === undefined || column.length >= SPARSE_ROWS_MIN) continue
      hasSparse = true
      for (let i = start; i < end; i++) if (column.valid[i] === 0) nulls++
      continue
    }
    if (rows !== undefined) return undefined
    hasSparse = true
    const [from, to] = valuesBetween(column.sparse.rows, start, end)
    nulls += end - start - (to - from)
  }
  if (!hasSparse || !isMostlyNull(length, length - nulls)) return undefined
  let before = 0
  let at = 0
  const parts = picks.map(({ column, rows: selected, start, end }) => {
    const plain = selected === undefined ? column : takeValues(column, selected.subarray(start, end))
    const first = selected === undefined ? start : 0
    const found = packedOf(plain)
    if (found === undefined) throw new Error('Broken invariant: nested columns have no sparse form')
    const [from, to] = valuesBetween(found.rows, first, first + end - start)
    const shift = before - first
    before += end - start
    return { packed: found.packed, found: found.rows, from, to, shift }
  })
  const rows = new Int32Array(parts.reduce((sum, { from, to }) => sum + to - from, 0))
  for (const { found, from, to, shift } of parts)
    for (let i = from; i < to; i++) rows[at++] = (found[i] as number) + shift
  const packed = gather(
    type,
    parts.map((part) => ({ column: part.packed, start: part.from, end: part.to })),
  )
  if (packed.kind !== 'fixed' && packed.kind !== 'bytes')
    throw new Error('Broken invariant: nested columns have no sparse form')
  return columnOfPacked(packed, rows, length)
}

/** Returns where among ascending rows those from `start` to `end` are. */
function valuesBetween(rows: Int32Array, start: number, end: number): readonly [number, number] {
  return [firstFrom(rows, start), firstFrom(rows, end)]
}

/** Returns the number of ascending rows before `row`. */
function firstFrom(rows: Int32Array, row: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as number) < row) low = middle + 1
    else high = middle
  }
  return low
}

/** Tells whether values of a type must be cast; nested types are compared as their parts are gathered. */
function needsCast(own: DataType, wanted: DataType): boolean {
  return own !== wanted && typeName(own) !== typeName(wanted)
}

/** Casts the picked rows only. */
function castPick(pick: RowPick, type: DataType): RowPick {
  const column = castColumn(gather(pick.column.type, [pick]), type)
  return { column, start: 0, end: column.length }
}

function emptyKind(type: DataType): Column['kind'] {
  if (typeof type !== 'string') return type.type === 'array' ? 'list' : type.type
  return fixedLayoutOf(type) === undefined ? 'bytes' : 'fixed'
}

function elementOf(type: DataType): DataType {
  return typeof type !== 'string' && type.type === 'array' ? type.elementType : 'string'
}

function entryOf(type: DataType): readonly [DataType, DataType] {
  return typeof type !== 'string' && type.type === 'map'
    ? [type.keyType, type.valueType]
    : ['string', 'string']
}

function gatherValid(picks: readonly RowPick[], length: number): Uint8Array | undefined {
  if (picks.every((pick) => pick.column.valid === undefined)) return undefined
  const valid = new Uint8Array(length)
  let at = 0
  for (const { column, rows, start, end } of picks) {
    const source = column.valid
    if (source === undefined) valid.fill(1, at, at + end - start)
    else if (rows === undefined) valid.set(source.subarray(start, end), at)
    else for (let i = start; i < end; i++) valid[at + i - start] = source[rows[i] as number] as number
    at += end - start
  }
  return valid
}

function gatherFixed(
  type: DataType,
  picks: readonly RowPick<FixedColumn>[],
  length: number,
  valid: Uint8Array | undefined,
): FixedColumn {
  const layout = fixedLayoutOf(type)
  if (layout === undefined) throw new Error(`Broken invariant: ${JSON.stringify(type)} has no fixed width`)
  const { words } = layout
  const values = layout.make(length * words)
  let at = 0
  for (const { column, rows, start, end } of picks) {
    const source = column.values
    if (rows === undefined) {
      values.set(source.subarray(start * words, end * words), at)
      at += (end - start) * words
    } else if (words === 1) {
      for (let i = start; i < end; i++) values[at++] = source[rows[i] as number] as number
    } else {
      for (let i = start; i < end; i++) {
        const from = (rows[i] as number) * words
        for (let word = 0; word < words; word++) values[at++] = source[from + word] as number
      }
    }
  }
  return { kind: 'fixed', type, length, valid, words, values }
}

function gatherBytes(
  type: DataType,
  picks: readonly RowPick<BytesColumn>[],
  length: number,
  valid: Uint8Array | undefined,
): BytesColumn {
  const offsets = new Int32Array(length + 1)
  let row = 0
  let total = 0
  for (const { column, rows, start, end } of picks) {
    const source = column.offsets
    for (let i = start; i < end; i++) {
      const from = rows === undefined ? i : (rows[i] as number)
      total += (source[from + 1] as number) - (source[from] as number)
      offsets[++row] = total
    }
  }
  const bytes = new Uint8Array(total)
  row = 0
  for (const { column, rows, start, end } of picks) {
    if (rows === undefined) {
      bytes.set(column.bytes.subarray(column.offsets[start], column.offsets[end]), offsets[row])
      row += end - start
    } else {
      for (let i = start; i < end; i++) copyBytes(column, rows[i] as number, bytes, offsets[row++] as number)
    }
  }
  return { kind: 'bytes', type, length, valid, offsets, bytes }
}

function copyBytes(column: BytesColumn, row: number, target: Uint8Array, to: number): void {
  const start = column.offsets[row] as number
  const end = column.offsets[row + 1] as number
  const source = column.bytes
  let at = to
  // For short values the loop is faster, as in BytesBuilder.appendBytes.
  if (end - start < 32) for (let i = start; i < end; i++) target[at++] = source[i] as number
  else target.set(source.subarray(start, end), to)
}

function gatherStruct(
  type: DataType,
  picks: readonly RowPick<StructColumn>[],
  length: number,
  valid: Uint8Array | undefined,
): StructColumn {
  const fields = typeof type !== 'string' && type.type === 'struct' ? type.fields : []
  const children = fields.map((field) =>
    gather(
      field.type,
      picks.map((pick) => ({ ...pick, column: childNamed(pick.column, field) })),
    ),
  )
  return { kind: 'struct', type, length, valid, children }
}

/** Returns the index of the field with this name, or one that differs only by case; -1 if there is none. */
export function fieldIndexOf(fields: readonly StructField[], name: string): number {
  const exact = fields.findIndex((field) => field.name === name)
  if (exact >= 0) return exact
  const folded = name.toLowerCase()
  return fields.findIndex((field) => field.name.toLowerCase() === folded)
}

/** Indexes of fields by their names and, of those without an exact match, by the names that were asked for. */
const INDEXES = new WeakMap<StructType, Map<string, number>>()

/** Returns what `fieldIndexOf` does: a search for each column of each batch takes time that grows with their square. */
function indexIn(struct: StructType, name: string): number {
  let known = INDEXES.get(struct)
  if (known === undefined) {
    known = new Map()
    for (const [index, field] of struct.fields.entries())
      if (!known.has(field.name)) known.set(field.name, index)
    INDEXES.set(struct, known)
  }
  let index = known.get(name)
  if (index === undefined) known.set(name, (index = fieldIndexOf(struct.fields, name)))
  return index
}

/** Finds a child by name: the struct may order its fields differently from the requested type, or lack some. */
function childNamed({ type, children, length }: StructColumn, { name, type: wanted }: StructField): Column {
  const index = typeof type !== 'string' && type.type === 'struct' ? indexIn(type, name) : -1
  return children[index] ?? nullColumnOf(wanted, length)
}

/** Returns the offsets of the gathered lists and, for each pick, the rows of its children. */
function gatherOffsets(
  picks: readonly RowPick<ListColumn | MapColumn>[],
  length: number,
): { offsets: Int32Array; inner: { pick: RowPick; rows: Int32Array }[] } {
  const offsets = new Int32Array(length + 1)
  let row = 0
  let total = 0
  const inner = picks.map((pick) => {
    const { column, rows, start, end } = pick
    const before = total
    const first = row
    for (let i = start; i < end; i++) {
      const from = rows === undefined ? i : (rows[i] as number)
      total += (column.offsets[from + 1] as number) - (column.offsets[from] as number)
      offsets[++row] = total
    }
    const children = new Int32Array(total - before)
    let at = 0
    for (let i = start; i < end; i++) {
      const from = rows === undefined ? i : (rows[i] as number)
      for (
        let child = column.offsets[from] as number;
        at < (offsets[first + i - start + 1] as number) - before;
      )
        children[at++] = child++
    }
    return { pick, rows: children }
  })
  return { offsets, inner }
}
