import type { StructField, StructType } from '../core/schema.ts'
import type { Column } from '../arrow/column.ts'
import { createLeafStatistics, type LeafStatistics } from './leaf-statistics.ts'

/** Counts the leaf columns with statistics by default: `delta.dataSkippingNumIndexedCols`. */
export const INDEXED_COLUMNS_DEFAULT = 32
/** Maximum of code points of a string bound, as in other writers. */
const STRING_CODE_POINTS_MAX = 32

/** Selects the leaf columns with statistics: the `first` ones in schema order, and all at or under `paths` of names. */
export interface IndexedColumns {
  readonly first: number
  readonly paths: readonly (readonly string[])[]
}

type Node =
  | {
      readonly kind: 'leaf'
      readonly name: string
      readonly index: number
      readonly statistics: LeafStatistics
    }
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly index: number
      readonly children: readonly Node[]
    }

/**
 * Collects the statistics of a data file while its columns are built: `numRecords`, and for the `indexed` leaf columns
 * `minValues`, `maxValues` and `nullCount`, nested like the schema. String maxima that are truncated are rounded up and
 * timestamps keep their microseconds, so all bounds are correct. Spec: "Per-file Statistics".
 */
export class FileStatistics {
  readonly #nodes: readonly Node[]
  #rows = 0

  constructor(
    schema: StructType,
    indexed: number | IndexedColumns = INDEXED_COLUMNS_DEFAULT,
    stringCodePointsMax = STRING_CODE_POINTS_MAX,
  ) {
    const { first, paths } = typeof indexed === 'number' ? { first: indexed, paths: [] } : indexed
    const named = new Set(paths.map((path) => JSON.stringify(path)))
    let left = first
    const nodesOf = (fields: readonly StructField[], parents: readonly string[], all: boolean): Node[] =>
      fields.flatMap((field, index): Node[] => {
        const path = [...parents, field.name]
        const isNamed = all || named.has(JSON.stringify(path))
        if (typeof field.type !== 'string' && field.type.type === 'struct') {
          const children = nodesOf(field.type.fields, path, isNamed)
          return [{ kind: 'struct', name: field.name, index, children }]
        }
        if (left-- <= 0 && !isNamed) return []
        return [
          {
            kind: 'leaf',
            name: field.name,
            index,
            statistics: createLeafStatistics(field.type, stringCodePointsMax),
          },
        ]
      })
    this.#nodes = nodesOf(schema.fields, [], false)
  }

  /** Number of rows added. */
  get rows(): number {
    return this.#rows
  }

  /** Adds a slice of the file's rows; `columns` are in schema order. */
  update(columns: readonly Column[], rows: number): void {
    this.#rows += rows
    updateNodes(this.#nodes, columns)
  }

  /** Returns the text for `add.stats`. */
  json(): string {
    const part = (of: (leaf: LeafStatistics) => string | undefined): string =>
      objectText(this.#nodes, of) ?? '{}'
    const minValues = part((leaf) => leaf.min())
    const maxValues = part((leaf) => leaf.max())
    const nullCount = part((leaf) => String(leaf.nulls))
    return `{"numRecords":${this.#rows},"minValues":${minValues},"maxValues":${maxValues},"nullCount":${nullCount}}`
  }
}

function updateLeaf(statistics: LeafStatistics, column: Column): void {
  const sparse = column.kind === 'fixed' || column.kind === 'bytes' ? column.sparse : undefined
  if (sparse === undefined) statistics.update(column)
  else {
    statistics.update(sparse.packed)
    statistics.addNulls(column.length - sparse.rows.length)
  }
}

function updateNodes(nodes: readonly Node[], columns: readonly Column[]): void {
  for (const node of nodes) {
    const column = columns[node.index] as Column
    if (node.kind === 'leaf') updateLeaf(node.statistics, column)
    else if (column.kind === 'struct') updateNodes(node.children, column.children)
  }
}

function objectText(
  nodes: readonly Node[],
  of: (leaf: LeafStatistics) => string | undefined,
): string | undefined {
  const members = nodes.flatMap((node) => {
    const text = node.kind === 'leaf' ? of(node.statistics) : objectText(node.children, of)
    return text === undefined ? [] : [`${JSON.stringify(node.name)}:${text}`]
  })
  return members.length === 0 ? undefined : `{${members.join(',')}}`
}
