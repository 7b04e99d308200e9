import { bytesOf, type Columns } from '../column.ts'
import { gather } from '../gather.ts'

/** Small chunks that are joined at once. */
const JOINED = 16
/** Bytes for each column below which a chunk is small: the objects of its columns take more memory than their values. */
const COLUMN_BYTES_SMALL = 1024

/** Describes rows of one batch and their table partitions. */
interface JoinableChunk {
  readonly columns: Columns
  /** Numbers of the table partitions of the rows; absent if all rows belong to one. */
  readonly labels: Int32Array | undefined
  readonly partitions: readonly (readonly unknown[])[]
  readonly droppedPaths?: unknown
}

/** Holds a chunk; after its rows were joined to those of an earlier one it holds none. */
export interface ChunkHolder<C extends JoinableChunk> {
  chunk: C | undefined
}

/**
 * Joins small chunks that follow each other in one Kafka partition: the objects of
 * their many columns would take more memory than the few values.
 */
export class ChunkJoiner<C extends JoinableChunk> {
  readonly #runs = new Map<string, ChunkHolder<C>[]>()

  /** Adds the next chunk of the Kafka partition `key`. Every sixteenth small one is joined with those before it. */
  add(key: string, holder: ChunkHolder<C>): void {
    const { chunk } = holder
    if (chunk === undefined || !isSmall(chunk.columns)) {
      this.#runs.delete(key)
      return
    }
    const run = this.#runs.get(key)
    const first = run?.[0]?.chunk
    if (run === undefined || first === undefined || !fits(first, chunk)) {
      this.#runs.set(key, [holder])
      return
    }
    run.push(holder)
    if (run.length < JOINED) return
    this.#runs.delete(key)
    joinRun(run, first)
  }

  /** Forgets the chunks of a Kafka partition, or all: later ones are not joined to them. */
  forget(key?: string): void {
    if (key === undefined) this.#runs.clear()
    else this.#runs.delete(key)
  }
}

function isSmall({ columns }: Columns): boolean {
  const bytesMax = COLUMN_BYTES_SMALL * columns.length
  let bytes = 0
  for (const column of columns) {
    bytes += bytesOf(column)
    if (bytes >= bytesMax) return false
  }
  return true
}

/** Returns true when the rows of both are of the same schema and belong to the same table partition. */
function fits(a: JoinableChunk, b: JoinableChunk): boolean {
  if (a.labels !== undefined || b.labels !== undefined) return false
  if (a.droppedPaths !== undefined || b.droppedPaths !== undefined) return false
  return (
    a.columns.schema === b.columns.schema &&
    a.partitions.length === 1 &&
    b.partitions.length === 1 &&
    a.partitions[0] === b.partitions[0]
  )
}

function joinRun<C extends JoinableChunk>(run: readonly ChunkHolder<C>[], first: C): void {
  const parts = run.flatMap(({ chunk }) => chunk?.columns ?? [])
  const { schema } = first.columns
  const columns = schema.fields.map(({ type }, index) =>
    gather(
      type,
      parts.flatMap(({ columns: ofPart, length }) => {
        const column = ofPart[index]
        return column === undefined ? [] : [{ column, start: 0, end: length }]
      }),
    ),
  )
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  for (const holder of run) holder.chunk = undefined
  const [holder] = run
  if (holder !== undefined) holder.chunk = { ...first, columns: { schema, length, columns } }
}
