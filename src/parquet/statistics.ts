import type { StructField, StructType } from '../core/schema.ts'
import type { Column } from '../arrow/column.ts'
import { leafStatistics, type LeafStatistics } from './leaf-statistics.ts'

/** Leaf columns that get statistics where the table does not say: `delta.dataSkippingNumIndexedCols`. */
export const INDEXED_COLUMNS_DEFAULT = 32
/** Code points of a string bound; what other writers use as well. */
export const STRING_CODE_POINTS_MAX = 32

/** Leaf columns that get statistics: the first so many, in the order of the schema, and all at or under these paths of names. */
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
 * The statistics of one data file, gathered while its columns are built: `numRecords`, and for the leaf columns
 * that are `indexed` `minValues`, `maxValues` and `nullCount`, nested as the schema is. String maxima that are cut are rounded
 * up, timestamps keep their microseconds, so every bound is a true one.
 * Spec: "Per-file Statistics".
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
            statistics: leafStatistics(field.type, stringCodePointsMax),
          },
        ]
      })
    this.#nodes = nodesOf(schema.fields, [], false)
  }

  /** Rows seen. */
  get rows(): number {
    return this.#rows
  }

  /** Takes a slice of the file's rows; `columns` in the schema's order. */
  update(columns: readonly Column[], rows: number): void {
    this.#rows += rows
    updateNodes(this.#nodes, columns)
  }

  /** The text for `add.stats`. */
  json(): string {
    const part = (of: (leaf: LeafStatistics) => string | undefined): string =>
      objectText(this.#nodes, of) ?? '{}'
    const minValues = part((leaf) => leaf.min())
    const maxValues = part((leaf) => leaf.max())
    const nullCount = part((leaf) => String(leaf.nulls))
    return `{"numRecords":${this.#rows},"minValues":${minValues},"maxValues":${maxValues},"nullCount":${nullCount}}`
  }
}

function updateNodes(nodes: readonly Node[], columns: readonly Column[]): void {
  for (const node of nodes) {
    const column = columns[node.index] as Column
    if (node.kind === 'leaf') node.statistics.update(column)
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
