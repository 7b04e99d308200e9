import { parseJson } from '../protocol/action-json.ts'
import type { Add, DomainMetadata, Metadata } from '../protocol/actions.ts'
import { type Bin, type Candidate, FILE_BYTES_MAX, isWorn, liveBytes, partitionKey } from './bin-packing.ts'
import { type Clustering, curveColumns } from './cluster.ts'
import { PipelineError } from '../../core/errors.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import type { Layout } from '../files/layout.ts'
import type { TableState } from '../log/state.ts'
import { isRecord } from '../statistics/stats.ts'

/** Files that were clustered together are a cube; these tags, which delta-spark uses as well, keep them together. */
const CUBE_TAG = 'ZCUBE_ID'
const COLUMNS_TAG = 'ZCUBE_ZORDER_BY'
const CURVE_TAG = 'ZCUBE_ZORDER_CURVE'
/** What delta-spark calls its clustering of cubes along Hilbert's curve, which is what happens here. */
const PROVIDER = 'liquid'

/** A cube is let alone once it is of so many files of the target size, and never made of more than twice as many. */
const CUBE_FILES = 4

/** What a table or a command says of the order of rows. */
export interface Order {
  readonly clustering: Clustering
  /** The table itself asks for it. */
  readonly isTables: boolean
}

/**
 * How rows are to be clustered: by the columns of a clustered table, along Hilbert's curve, or else by those that were
 * asked for, along the Z-order curve; `undefined` where neither has any. Throws `KD_COMMAND_INVALID` for columns that are
 * asked of a clustered table or that cannot be, `KD_TABLE_CORRUPT`. Spec: "Clustered Table".
 */
export function orderOf(
  state: TableState,
  metadata: Metadata,
  layout: Layout,
  asked: readonly string[],
): Order | undefined {
  const domain = state.domains.get('delta.clustering')
  const isClustered = writerFeatures(state.protocol).includes('clustering')
  const paths = isClustered && domain !== undefined ? clusteringPaths(domain) : []
  if (paths.length > 0) {
    if (asked.length > 0) {
      const detail = 'the table is clustered by columns of its own, so that none can be asked for'
      throw new PipelineError('KD_COMMAND_INVALID', detail)
    }
    const found = curveColumns(layout.fileSchema, paths)
    // By the names that users know: the same places in the struct of the same columns.
    const columns = found.map(({ path }) => ({ path, name: nameAt(layout, path) }))
    return { clustering: { curve: columns.length > 1 ? 'hilbert' : 'zorder', columns }, isTables: true }
  }
  if (asked.length === 0) return undefined
  const partition = asked.find((name) => metadata.partitionColumns.includes(name))
  if (partition !== undefined) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      `${partition} partitions the table: its files hold one value each`,
    )
  }
  const columns = curveColumns(
    layout.columns,
    asked.map((name) => name.split('.')),
  )
  return { clustering: { curve: 'zorder', columns }, isTables: false }
}

/** Physical names of the clustering columns; each a name, or a list of names from the outside in. */
function clusteringPaths({ configuration }: DomainMetadata): readonly (readonly string[])[] {
  const isPath = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string')
  try {
    const parsed = parseJson(configuration)
    const columns = isRecord(parsed) ? parsed['clusteringColumns'] : undefined
    const paths = Array.isArray(columns)
      ? columns.map((column: unknown) => (typeof column === 'string' ? [column] : column))
      : undefined
    if (paths?.every(isPath) === true) return paths
  } catch {
    // Said below.
  }
  throw new PipelineError('KD_TABLE_CORRUPT', 'the domain delta.clustering has no list of clusteringColumns')
}

function nameAt({ columns }: Layout, path: readonly number[]): string {
  const names: string[] = []
  let fields = columns.fields
  for (const at of path) {
    const field = fields[at]
    if (field === undefined) break
    names.push(field.name)
    fields = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type.fields : []
  }
  return names.join('.')
}

/** What the files of a new cube say of themselves. */
export function cubeMarks(order: Order, cubeId: string): Pick<Add, 'tags' | 'clusteringProvider'> {
  const { columns, curve } = order.clustering
  const tags = {
    [CUBE_TAG]: cubeId,
    [COLUMNS_TAG]: JSON.stringify(columns.map(({ name }) => name)),
    [CURVE_TAG]: order.isTables ? 'hilbert' : curve,
  }
  return { tags, ...(order.isTables ? { clusteringProvider: PROVIDER } : {}) }
}

/**
 * Gathers files to be clustered: those that are in no cube, and those of cubes that are still small. Files that another
 * implementation clustered are left alone. Names of files are in memory. Spec: "Writer Requirements for Clustered Table".
 */
export class CubePlanner {
  readonly #order: Order
  readonly #targetBytes: number
  readonly #partitions = new Map<string, Map<string, Candidate[]>>()

  constructor(order: Order, targetBytes: number) {
    this.#order = order
    this.#targetBytes = targetBytes
  }

  add(file: Candidate): void {
    if (file.size > FILE_BYTES_MAX) return
    const { clusteringProvider } = file
    if (clusteringProvider !== undefined && clusteringProvider !== PROVIDER) return
    const key = partitionKey(file)
    const cubes = this.#partitions.get(key) ?? new Map<string, Candidate[]>()
    this.#partitions.set(key, cubes)
    const cube = this.#cubeOf(file)
    const files = cubes.get(cube) ?? []
    cubes.set(cube, files)
    files.push(file)
  }

  /** What becomes a cube each, and worn files of cubes that stay, each alone. */
  *bins(): Generator<Bin & { readonly isCube: boolean }> {
    for (const cubes of this.#partitions.values()) {
      const small: Candidate[] = []
      let parts = 0
      for (const [cube, files] of [...cubes].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (cube !== '' && sum(files) >= CUBE_FILES * this.#targetBytes) {
          for (const file of files.filter(isWorn))
            yield { files: [file], bytes: liveBytes(file), isCube: false }
        } else {
          small.push(...files)
          parts += cube === '' ? 2 : 1
        }
      }
      // A cube alone is as good as it can be, unless much of it is deleted.
      if (parts < 2 && !small.some(isWorn)) continue
      for (const files of packed(small, 2 * CUBE_FILES * this.#targetBytes))
        yield { files, bytes: sum(files), isCube: true }
    }
  }

  /** The cube of a file, empty for a file that is in none of these columns. */
  #cubeOf({ tags }: Candidate): string {
    const wanted = cubeMarks(this.#order, '').tags ?? {}
    const isOurs = tags?.[COLUMNS_TAG] === wanted[COLUMNS_TAG]
    const curve = tags?.[CURVE_TAG] ?? 'hilbert'
    return isOurs && curve === wanted[CURVE_TAG] ? (tags?.[CUBE_TAG] ?? '') : ''
  }
}

function* packed(files: readonly Candidate[], bytesMax: number): Generator<readonly Candidate[]> {
  let group: Candidate[] = []
  let bytes = 0
  for (const file of files) {
    if (group.length > 0 && bytes + liveBytes(file) > bytesMax) {
      yield group
      group = []
      bytes = 0
    }
    group.push(file)
    bytes += liveBytes(file)
  }
  if (group.length > 0) yield group
}

function sum(files: readonly Candidate[]): number {
  return files.reduce((bytes, file) => bytes + liveBytes(file), 0)
}
