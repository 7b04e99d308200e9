import {
  damagedFooterError,
  readThrift,
  THRIFT,
  type ThriftStruct,
  type ThriftValue,
  writeThrift,
} from './thrift.ts'

/** Describes a range of bytes of a file; `end` is exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Describes one leaf column of a row group: the position of its pages, and its count of nulls. */
export interface ColumnChunk {
  /** Names from the top-level column to the leaf. */
  readonly path: readonly string[]
  readonly range: ByteRange
  readonly bytesUncompressed: number
  /** Number of values, nulls included; equals the number of rows for columns that are not repeated. */
  readonly values: number
  /** Number of nulls; `undefined` if the writer did not count them. */
  readonly nulls: number | undefined
  /** True if it or a column above it is a list or a map, with any number of values per row. */
  readonly isRepeated: boolean
  readonly raw: ThriftStruct
}

/** Describes a row group: rows stored together, with one chunk per leaf column. */
export interface RowGroup {
  readonly rows: number
  /** Chunks in the order of the schema's leaves. */
  readonly chunks: readonly ColumnChunk[]
  readonly raw: ThriftStruct
}

/** Holds the parsed footer of a Parquet file. */
export interface Footer {
  /** Name and version of the writer; empty if not stated. */
  readonly createdBy: string
  readonly rowGroups: readonly RowGroup[]
  readonly raw: ThriftStruct
}

/** Leaf of the schema. */
interface Leaf {
  readonly path: readonly string[]
  readonly isRepeated: boolean
}

/** Ids of the fields that are used of Parquet's Thrift structs. */
const FILE = { version: 1, schema: 2, rows: 3, rowGroups: 4, keyValues: 5, createdBy: 6, orders: 7 }
const GROUP = { columns: 1, bytes: 2, rows: 3, bytesCompressed: 6 }
const CHUNK = { filePath: 1, fileOffset: 2, metadata: 3, encryption: 8, encrypted: 9 }
const COLUMN = {
  path: 3,
  values: 5,
  bytesUncompressed: 6,
  bytes: 7,
  pages: 9,
  dictionary: 11,
  statistics: 12,
}
/** Fields of a column that contain no offsets and do not depend on them. */
const COLUMN_KEPT: readonly number[] = [1, 2, 3, 4, 5, 6, 7]
/** Same, with statistics, encoding statistics and sizes, which an excerpt does not need. */
const COLUMN_DESCRIBED: readonly number[] = [...COLUMN_KEPT, 12, 13, 16]
const ELEMENT = { repetition: 3, name: 4, children: 5 }
const REPEATED = 2n
const STATISTICS_NULLS = 3

/** Starts and ends every Parquet file. */
export const PARQUET_MAGIC = Buffer.from('PAR1')
/** Counts the bytes at the end of a file: the length of the footer, and the magic number. */
export const TRAILER_BYTES = 8

/**
 * Parses the footer of a Parquet file of `fileBytes` bytes from its Thrift struct. All ranges are checked to lie within
 * the file.
 * @throws RangeError if the footer is damaged
 */
export function parseFooter(bytes: Uint8Array, fileBytes: number): Footer {
  const raw = readThrift(bytes)
  const leaves = leavesOf(structs(raw, FILE.schema))
  const rowGroups = structs(raw, FILE.rowGroups).map((group): RowGroup => {
    const columns = structs(group, GROUP.columns)
    if (columns.length !== leaves.length) throw damagedFooterError('a row group lacks columns')
    const chunks = columns.map((column, index) => chunkOf(column, leaves[index] as Leaf, fileBytes))
    const rows = size(group, GROUP.rows)
    if (chunks.some((chunk) => !chunk.isRepeated && chunk.values !== rows)) {
      throw damagedFooterError('the columns of a row group have different numbers of rows')
    }
    return { rows, chunks, raw: group }
  })
  const createdBy = raw.has(FILE.createdBy) ? text(raw, FILE.createdBy) : ''
  return { createdBy, rowGroups, raw }
}

function leavesOf(elements: readonly ThriftStruct[]): Leaf[] {
  const leaves: Leaf[] = []
  let at = 0
  const walk = (path: readonly string[], isParentRepeated: boolean): void => {
    const element = elements[at++]
    if (element === undefined) throw damagedFooterError('the schema ends too early')
    const children = element.has(ELEMENT.children) ? size(element, ELEMENT.children) : 0
    const isRoot = at === 1
    const own = isRoot ? [] : [...path, text(element, ELEMENT.name)]
    const repetition = element.get(ELEMENT.repetition)
    const isRepeated = isParentRepeated || (!isRoot && repetition?.value === REPEATED)
    if (children === 0 && !isRoot) leaves.push({ path: own, isRepeated })
    for (let child = 0; child < children; child++) walk(own, isRepeated)
  }
  walk([], false)
  if (at !== elements.length) throw damagedFooterError('the schema has elements without a parent')
  return leaves
}

function chunkOf(chunk: ThriftStruct, leaf: Leaf, fileBytes: number): ColumnChunk {
  if (chunk.has(CHUNK.filePath)) throw damagedFooterError('a column is in another file')
  if (chunk.has(CHUNK.encryption) || chunk.has(CHUNK.encrypted))
    throw damagedFooterError('a column is encrypted')
  const column = chunk.get(CHUNK.metadata)
  if (column?.type !== THRIFT.struct) throw damagedFooterError('a column has no metadata')
  const path = values(column.value, COLUMN.path).map(textOf)
  if (path.join('\0') !== leaf.path.join('\0')) throw damagedFooterError('a column does not match the schema')
  const pages = size(column.value, COLUMN.pages)
  const dictionary = column.value.has(COLUMN.dictionary) ? size(column.value, COLUMN.dictionary) : 0
  // Some writers state offset 0, the position of the magic number, for a missing dictionary.
  const start = dictionary > 0 ? Math.min(dictionary, pages) : pages
  const end = start + size(column.value, COLUMN.bytes)
  if (start < PARQUET_MAGIC.length || end > fileBytes)
    throw damagedFooterError('a column lies outside of the file')
  const statistics = column.value.get(COLUMN.statistics)
  const counted = statistics?.type === THRIFT.struct && statistics.value.has(STATISTICS_NULLS)
  return {
    path,
    range: { start, end },
    bytesUncompressed: size(column.value, COLUMN.bytesUncompressed),
    values: size(column.value, COLUMN.values),
    nulls: counted ? size(statistics.value, STATISTICS_NULLS) : undefined,
    isRepeated: leaf.isRepeated,
    raw: column.value,
  }
}

/** Tells whether all values of a row group under a top-level column are null, as far as its statistics prove it. */
export function isAllNull(group: RowGroup, column: string): boolean {
  const own = group.chunks.filter((chunk) => chunk.path[0] === column)
  if (own.length === 0) return true
  // An empty list counts as a null, so repeated columns prove nothing.
  const flat = own.filter((chunk) => !chunk.isRepeated)
  return flat.length > 0 && flat.every((chunk) => chunk.nulls === chunk.values)
}

/**
 * Builds a Parquet file of one row group and some of its columns, with the original pages, so that a decoder of whole
 * files can read it. `pages` holds the bytes of each chunk, in the same order.
 */
export function buildExcerpt(
  footer: Footer,
  group: RowGroup,
  chunks: readonly ColumnChunk[],
  pages: readonly Uint8Array[],
): Uint8Array {
  const kept = new Set(chunks.map((chunk) => chunk.path.join('\0')))
  const row = movedGroup(
    group.rows,
    PARQUET_MAGIC.length,
    chunks.map((chunk, index) => ({ chunk, bytes: (pages[index] as Uint8Array).length })),
    COLUMN_KEPT,
  )
  const file = new Map<number, ThriftValue>([
    [FILE.version, footer.raw.get(FILE.version) ?? { type: THRIFT.i32, value: 1n }],
    [FILE.schema, list(prunedSchema(structs(footer.raw, FILE.schema), kept))],
    [FILE.rows, long(group.rows)],
    [FILE.rowGroups, list([row])],
  ])
  // Decoders work around bugs of writers by their names. All other fields describe columns that are left out.
  const createdBy = footer.raw.get(FILE.createdBy)
  if (createdBy !== undefined) file.set(FILE.createdBy, createdBy)
  return Buffer.concat([PARQUET_MAGIC, ...pages, trailerOf(file)])
}

/** Describes a row group at a new position in a file, with its chunks one after the other. */
export interface RelocatedRowGroup {
  readonly group: RowGroup
  /** Byte offset of its first chunk. */
  readonly start: number
}

/**
 * Builds the footer and trailer of a file of row groups from files with the same schema; the footer is described like
 * that of the first of those files.
 */
export function buildJoinedFooter(first: Footer, groups: readonly RelocatedRowGroup[]): Uint8Array {
  const file = new Map(
    [...first.raw].filter(([id]) =>
      [FILE.version, FILE.schema, FILE.keyValues, FILE.createdBy, FILE.orders].includes(id),
    ),
  )
  const moved = groups.map(({ group, start }) =>
    movedGroup(
      group.rows,
      start,
      group.chunks.map((chunk) => ({ chunk, bytes: chunk.range.end - chunk.range.start })),
      COLUMN_DESCRIBED,
    ),
  )
  file.set(FILE.rows, long(groups.reduce((sum, { group }) => sum + group.rows, 0)))
  file.set(FILE.rowGroups, list(moved))
  return trailerOf(file)
}

/** Tells whether both files have identical columns. */
export function hasSameSchema(a: Footer, b: Footer): boolean {
  const schemaOf = ({ raw }: Footer): Uint8Array =>
    writeThrift(new Map([...raw].filter(([id]) => id === FILE.schema)))
  return Buffer.compare(schemaOf(a), schemaOf(b)) === 0
}

function trailerOf(file: ThriftStruct): Uint8Array {
  const thrift = writeThrift(file)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(thrift.length)
  return Buffer.concat([thrift, length, PARQUET_MAGIC])
}

function movedGroup(
  rows: number,
  start: number,
  chunks: readonly { readonly chunk: ColumnChunk; readonly bytes: number }[],
  kept: readonly number[],
): ThriftValue {
  let offset = start
  const columns = chunks.map(({ chunk, bytes }): ThriftValue => {
    const column = movedTo(offset, chunk, kept)
    offset += bytes
    return column
  })
  const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.bytesUncompressed, 0)
  const row = new Map<number, ThriftValue>([
    [GROUP.columns, list(columns)],
    [GROUP.bytes, long(bytes)],
    [GROUP.rows, long(rows)],
    [GROUP.bytesCompressed, long(offset - start)],
  ])
  return { type: THRIFT.struct, value: row }
}

function movedTo(offset: number, { raw, range }: ColumnChunk, kept: readonly number[]): ThriftValue {
  const column = new Map([...raw].filter(([id]) => kept.includes(id)))
  const moved = (id: number): ThriftValue => long(size(raw, id) - range.start + offset)
  column.set(COLUMN.pages, moved(COLUMN.pages))
  if (raw.has(COLUMN.dictionary) && size(raw, COLUMN.dictionary) > 0) {
    column.set(COLUMN.dictionary, moved(COLUMN.dictionary))
  }
  const chunk = new Map<number, ThriftValue>([
    [CHUNK.fileOffset, long(offset)],
    [CHUNK.metadata, { type: THRIFT.struct, value: column }],
  ])
  return { type: THRIFT.struct, value: chunk }
}

/** Returns the schema with only the kept leaves and their parents. */
function prunedSchema(elements: readonly ThriftStruct[], kept: ReadonlySet<string>): ThriftValue[] {
  let at = 0
  const walk = (path: readonly string[]): ThriftValue[] => {
    const isRoot = at === 0
    const element = elements[at++] as ThriftStruct
    const own = isRoot ? [] : [...path, text(element, ELEMENT.name)]
    const children = element.has(ELEMENT.children) ? size(element, ELEMENT.children) : 0
    if (children === 0) return kept.has(own.join('\0')) ? [{ type: THRIFT.struct, value: element }] : []
    const below: ThriftValue[][] = []
    for (let child = 0; child < children; child++) {
      const held = walk(own)
      if (held.length > 0) below.push(held)
    }
    if (below.length === 0 && !isRoot) return []
    const count: ThriftValue = { type: THRIFT.i32, value: BigInt(below.length) }
    const pruned: ThriftStruct = new Map([...element, [ELEMENT.children, count]])
    return [{ type: THRIFT.struct, value: pruned }, ...below.flat()]
  }
  return walk([])
}

function structs(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  return values(struct, id).map((value) => {
    if (value.type !== THRIFT.struct) throw damagedFooterError(`field ${id} is not a list of structs`)
    return value.value
  })
}

function values(struct: ThriftStruct, id: number): readonly ThriftValue[] {
  const field = struct.get(id)
  if (field?.type !== THRIFT.list) throw damagedFooterError(`field ${id} is not a list`)
  return field.value
}

/** Reads a number of bytes, rows or children; it must be a safe integer and not negative. */
function size(struct: ThriftStruct, id: number): number {
  const field = struct.get(id)
  if (typeof field?.value !== 'bigint') throw damagedFooterError(`field ${id} is not a number`)
  const number = Number(field.value)
  if (!Number.isSafeInteger(number) || number < 0) throw damagedFooterError(`field ${id} is ${field.value}`)
  return number
}

function text(struct: ThriftStruct, id: number): string {
  return textOf(struct.get(id))
}

function textOf(value: ThriftValue | undefined): string {
  if (value?.type !== THRIFT.binary) throw damagedFooterError('a name is missing')
  return Buffer.from(value.value).toString('utf8')
}

function list(value: readonly ThriftValue[]): ThriftValue {
  return { type: THRIFT.list, element: THRIFT.struct, value }
}

function long(value: number): ThriftValue {
  return { type: THRIFT.i64, value: BigInt(value) }
}
