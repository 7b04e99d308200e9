import { bytesOf, type Column } from '../../arrow/column.ts'
import { gather } from '../../arrow/gather.ts'
import { packedOf } from '../../arrow/sparse/sparse-column.ts'
import type { ColumnChunk } from '../footer.ts'
import { THRIFT, writeThrift, type ThriftStruct, type ThriftValue } from '../thrift.ts'
import { chunkBoundsOf, type ChunkBounds } from './chunk-bounds.ts'
import { encodeLevels } from './levels.ts'
import type { PageCodec } from './page-codec.ts'
import { encodePlain, physicalTypeOf } from './plain-values.ts'

const DATA_PAGE = 0
const PLAIN = 0
const RLE = 3

/** Rows at which a page ends. */
const PAGE_ROWS = 16_384
/** Bytes of values at which a page ends, before compression. */
const PAGE_BYTES = 32 * 1024

/** Encodes one optional column of a row group, page by page, at a cost that depends on its values and not on its rows. */
export class ChunkWriter {
  readonly #name: string
  readonly #codec: PageCodec
  readonly #pages: Uint8Array[] = []
  /** Rows that are in no page yet. */
  #waiting: Column[] = []
  #waitingRows = 0
  #waitingBytes = 0
  #bounds: ChunkBounds | undefined
  #physicalType = 0
  #bytes = 0
  #bytesUncompressed = 0
  #rows = 0
  #nulls = 0

  /** `name` is that of a column at the top of the schema. */
  constructor(name: string, codec: PageCodec) {
    this.#name = name
    this.#codec = codec
  }

  /** Adds rows, and encodes a page once there are enough. The type of the column is one of those that `encodePlain` encodes. */
  add(column: Column): void {
    this.#waiting.push(column)
    this.#waitingRows += column.length
    this.#waitingBytes += bytesOf(column)
    if (this.#waitingRows >= PAGE_ROWS || this.#waitingBytes >= PAGE_BYTES) this.endPage()
  }

  /** Encodes the rows that are in no page yet as one. */
  endPage(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    const picks = this.#waiting.map((column) => ({ column, start: 0, end: column.length }))
    this.#addPage(picks.length === 1 ? first : gather(first.type, picks))
    this.#waiting = []
    this.#waitingRows = this.#waitingBytes = 0
  }

  #addPage(column: Column): void {
    const found = packedOf(column)
    const physicalType = physicalTypeOf(column.type)
    if (found === undefined || physicalType === undefined)
      throw new Error('Broken invariant: a column of this type is encoded by another writer')
    const { rows, packed } = found
    this.#physicalType = physicalType
    this.#bounds ??= chunkBoundsOf(packed)
    this.#bounds.update(packed)
    this.#rows += column.length
    this.#nulls += column.length - rows.length
    const levels = encodeLevels(rows, column.length)
    const levelBytes = Buffer.alloc(4)
    levelBytes.writeUInt32LE(levels.length)
    const body = Buffer.concat([levelBytes, levels, encodePlain(packed)])
    const compressed = this.#codec.compress(body)
    const header = writeThrift(
      new Map([
        [1, int(DATA_PAGE)],
        [2, int(body.length)],
        [3, int(compressed.length)],
        [
          5,
          struct([
            [1, int(column.length)],
            [2, int(PLAIN)],
            [3, int(RLE)],
            [4, int(RLE)],
          ]),
        ],
      ]),
    )
    this.#pages.push(header, compressed)
    this.#bytes += header.length + compressed.length
    this.#bytesUncompressed += header.length + body.length
  }

  /** Returns the chunk, described as in a file that begins with it, and its bytes. */
  finish(): { readonly chunk: ColumnChunk; readonly pages: readonly Uint8Array[] } {
    this.endPage()
    const path = [this.#name]
    const raw: ThriftStruct = new Map<number, ThriftValue>([
      [1, int(this.#physicalType)],
      [2, { type: THRIFT.list, element: THRIFT.i32, value: [int(PLAIN), int(RLE)] }],
      [3, { type: THRIFT.list, element: THRIFT.binary, value: [binary(Buffer.from(this.#name))] }],
      [4, int(this.#codec.id)],
      [5, long(this.#rows)],
      [6, long(this.#bytesUncompressed)],
      [7, long(this.#bytes)],
      [9, long(0)],
      [12, this.#statistics()],
    ])
    const chunk = {
      path,
      range: { start: 0, end: this.#bytes },
      bytesUncompressed: this.#bytesUncompressed,
      values: this.#rows,
      nulls: this.#nulls,
      isRepeated: false,
      raw,
    }
    return { chunk, pages: this.#pages }
  }

  #statistics(): ThriftValue {
    const fields: [number, ThriftValue][] = [[3, long(this.#nulls)]]
    const bounds = this.#bounds?.bounds()
    if (bounds !== undefined)
      fields.push(
        [5, binary(bounds.max)],
        [6, binary(bounds.min)],
        [7, { type: THRIFT.true, value: true }],
        [8, { type: THRIFT.true, value: true }],
      )
    return struct(fields)
  }
}

function struct(fields: readonly [number, ThriftValue][]): ThriftValue {
  return { type: THRIFT.struct, value: new Map(fields) }
}

function int(value: number): ThriftValue {
  return { type: THRIFT.i32, value: BigInt(value) }
}

function long(value: number): ThriftValue {
  return { type: THRIFT.i64, value: BigInt(value) }
}

function binary(value: Uint8Array): ThriftValue {
  return { type: THRIFT.binary, value }
}
