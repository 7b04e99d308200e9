import { type DataType, type StructField, typeName } from '../core/schema.ts'
import { castColumn } from './cast.ts'
import type { BytesColumn, Column, FixedColumn, ListColumn, MapColumn, StructColumn } from './column.ts'
import { fixedLayout, nullColumn } from './column.ts'

/** Rows of one column: those at `rows`, or all from `start` to `end` when `rows` is absent. */
export interface Pick<C extends Column = Column> {
  readonly column: C
  readonly rows?: Int32Array
  readonly start: number
  readonly end: number
}

/** How many rows a pick has. */
function countOf(pick: Pick): number {
  return pick.end - pick.start
}

/**
 * One column of the picked rows, in the order of the picks: joins batches, splits table partitions and sorts rows, all
 * with one copy. With `rows`, `start` and `end` bound the part of `rows` that counts. Rows of another type are cast;
 * fields of structs are found by their names, whatever the case, and null where the rows lack them.
 * @throws KD_SCHEMA_MISMATCH where the cast is none that `castColumn` knows.
 */
export function gather(type: DataType, given: readonly Pick[]): Column {
  const picks = given.some(({ column }) => isForeign(column.type, type))
    ? given.map((pick) => (isForeign(pick.column.type, type) ? castPick(pick, type) : pick))
    : given
  const length = picks.reduce((sum, pick) => sum + countOf(pick), 0)
  const valid = gatherValid(picks, length)
  const kind = picks[0]?.column.kind ?? emptyKind(type)
  switch (kind) {
    case 'fixed':
      return gatherFixed(type, picks as readonly Pick<FixedColumn>[], length, valid)
    case 'bytes':
      return gatherBytes(type, picks as readonly Pick<BytesColumn>[], length, valid)
    case 'struct':
      return gatherStruct(type, picks as readonly Pick<StructColumn>[], length, valid)
    case 'list': {
      const { offsets, inner } = gatherOffsets(picks as readonly Pick<ListColumn>[], length)
      const child = gather(
        elementOf(type),
        inner.map(({ pick, rows }) => ({
          column: (pick.column as ListColumn).child,
          rows,
          start: 0,
          end: rows.length,
        })),
      )
      return { kind, type, length, valid, offsets, child }
    }
    case 'map': {
      const { offsets, inner } = gatherOffsets(picks as readonly Pick<MapColumn>[], length)
      const [keyType, valueType] = entryOf(type)
      const part = (side: 'keys' | 'values'): Pick[] =>
        inner.map(({ pick, rows }) => ({
          column: (pick.column as MapColumn)[side],
          rows,
          start: 0,
          end: rows.length,
        }))
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

/** Whether values of a type must be cast; what is nested is looked at as its parts are gathered. */
function isForeign(own: DataType, wanted: DataType): boolean {
  return own !== wanted && typeName(own) !== typeName(wanted)
}

/** Only the rows that are picked are cast. */
function castPick(pick: Pick, type: DataType): Pick {
  const column = castColumn(gather(pick.column.type, [pick]), type)
  return { column, start: 0, end: column.length }
}

function emptyKind(type: DataType): Column['kind'] {
  if (typeof type !== 'string') return type.type === 'array' ? 'list' : type.type
  return fixedLayout(type) === undefined ? 'bytes' : 'fixed'
}

function elementOf(type: DataType): DataType {
  return typeof type !== 'string' && type.type === 'array' ? type.elementType : 'string'
}

function entryOf(type: DataType): readonly [DataType, DataType] {
  return typeof type !== 'string' && type.type === 'map'
    ? [type.keyType, type.valueType]
    : ['string', 'string']
}

function gatherValid(picks: readonly Pick[], length: number): Uint8Array | undefined {
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
  picks: readonly Pick<FixedColumn>[],
  length: number,
  valid: Uint8Array | undefined,
): FixedColumn {
  const layout = fixedLayout(type)
  if (layout === undefined) throw new Error(`Broken invariant: ${JSON.stringify(type)} is not of fixed width`)
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
  picks: readonly Pick<BytesColumn>[],
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
  // See BytesBuilder.appendBytes: for short values the loop is the faster way.
  if (end - start < 32) for (let i = start; i < end; i++) target[at++] = source[i] as number
  else target.set(source.subarray(start, end), to)
}

function gatherStruct(
  type: DataType,
  picks: readonly Pick<StructColumn>[],
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

/** Where the field of this name is: the very name, or one that differs by case alone; -1 where there is none. */
export function indexNamed(fields: readonly StructField[], name: string): number {
  const exact = fields.findIndex((field) => field.name === name)
  if (exact >= 0) return exact
  const folded = name.toLowerCase()
  return fields.findIndex((field) => field.name.toLowerCase() === folded)
}

/** By name: the struct may hold its fields in another order than the type that is wanted, or lack some. */
function childNamed({ type, children, length }: StructColumn, { name, type: wanted }: StructField): Column {
  const fields = typeof type !== 'string' && type.type === 'struct' ? type.fields : []
  return children[indexNamed(fields, name)] ?? nullColumn(wanted, length)
}

/** Offsets of the gathered lists, and for each pick the rows of its children. */
function gatherOffsets(
  picks: readonly Pick<ListColumn | MapColumn>[],
  length: number,
): { offsets: Int32Array; inner: { pick: Pick; rows: Int32Array }[] } {
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
