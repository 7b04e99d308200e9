import type { Add, DomainMetadata, Metadata } from '../protocol/actions.ts'
import {
  type Bin,
  type PackingCandidate,
  REWRITE_FILE_BYTES_MAX,
  needsRewrite,
  liveBytesOf,
  partitionKeyOf,
} from './bin-packing.ts'
import { type Clustering, findCurveColumns } from './cluster.ts'
import { PipelineError } from '../../core/errors.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { parseClusteringPaths } from '../protocol/column-paths.ts'
import type { Layout } from '../files/layout.ts'
import type { TableState } from '../log/state.ts'

/** Tags of `add` that mark files clustered together as a Z-cube; delta-spark uses the same tags. */
const CUBE_TAG = 'ZCUBE_ID'
const COLUMNS_TAG = 'ZCUBE_ZORDER_BY'
const CURVE_TAG = 'ZCUBE_ZORDER_CURVE'
/** Provider name of delta-spark for clustering along the Hilbert curve, which is what this package does. */
const PROVIDER = 'liquid'

/** A Z-cube with this many files of the target size is complete; new cubes have at most twice as many. */
const CUBE_FILES = 4

/** Describes how rows are ordered, and whether the table or the command defines it. */
export interface ClusteringOrder {
  readonly clustering: Clustering
  /** True if the table defines the order rather than the command. */
  readonly isFromTable: boolean
}

/**
 * Returns how rows are clustered: by the columns of a clustered table along the Hilbert curve, otherwise by the
 * `requested` columns along the Z-order curve; `undefined` if there are neither. Spec: "Clustered Table".
 * @throws KD_COMMAND_INVALID for columns that are requested for a clustered table or cannot be clustered by
 * @throws KD_TABLE_CORRUPT if the clustering domain is malformed
 */
export function clusteringOrderOf(
  state: TableState,
  metadata: Metadata,
  layout: Layout,
  requested: readonly string[],
): ClusteringOrder | undefined {
  const domain = state.domains.get('delta.clustering')
  const isClustered = writerFeaturesOf(state.protocol).includes('clustering')
  const paths = isClustered && domain !== undefined ? clusteringColumnsOf(domain) : []
  if (paths.length > 0) {
    if (requested.length > 0) {
      const detail = 'the table defines its own clustering columns, so none can be given'
      throw new PipelineError('KD_COMMAND_INVALID', detail)
    }
    const found = findCurveColumns(layout.fileSchema, paths)
    // Names that users know, from the same positions in the struct of logical columns.
    const columns = found.map(({ path }) => ({ path, name: nameAt(layout, path) }))
    return { clustering: { curve: columns.length > 1 ? 'hilbert' : 'zorder', columns }, isFromTable: true }
  }
  if (requested.length === 0) return undefined
  const partition = requested.find((name) => metadata.partitionColumns.includes(name))
  if (partition !== undefined) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      `${partition} is a partition column: each file holds one value of it`,
    )
  }
  const columns = findCurveColumns(
    layout.columns,
    // A column may have dots in its own name.
    requested.map((name) =>
      layout.columns.fields.some((field) => field.name === name) ? [name] : name.split('.'),
    ),
  )
  return { clustering: { curve: 'zorder', columns }, isFromTable: false }
}

/**
 * Returns the clustering columns of the domain.
 * @throws KD_TABLE_CORRUPT if it is malformed
 */
function clusteringColumnsOf({ configuration }: DomainMetadata): readonly (readonly string[])[] {
  const paths = parseClusteringPaths(configuration)
  if (paths?.every((path) => path !== undefined) === true) return paths
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

/** Returns the `add` fields of files in a new Z-cube. */
export function zcubeFieldsOf(
  order: ClusteringOrder,
  cubeId: string,
): Pick<Add, 'tags' | 'clusteringProvider'> {
  const { columns, curve } = order.clustering
  const tags = {
    [CUBE_TAG]: cubeId,
    [COLUMNS_TAG]: JSON.stringify(columns.map(({ name }) => name)),
    [CURVE_TAG]: order.isFromTable ? 'hilbert' : curve,
  }
  return { tags, ...(order.isFromTable ? { clusteringProvider: PROVIDER } : {}) }
}

/**
 * Selects files to cluster: those in no Z-cube, and those of cubes that are still small. Files that another
 * implementation clustered are not touched. Memory holds the names of files. Spec: "Writer Requirements for Clustered
 * Table".
 */
export class ZCubePlanner {
  readonly #order: ClusteringOrder
  readonly #targetBytes: number
  readonly #partitions = new Map<string, Map<string, PackingCandidate[]>>()

  constructor(order: ClusteringOrder, targetBytes: number) {
    this.#order = order
    this.#targetBytes = targetBytes
  }

  add(file: PackingCandidate): void {
    if (file.size > REWRITE_FILE_BYTES_MAX) return
    const { clusteringProvider } = file
    if (clusteringProvider !== undefined && clusteringProvider !== PROVIDER) return
    const key = partitionKeyOf(file)
    const cubes = this.#partitions.get(key) ?? new Map<string, PackingCandidate[]>()
    this.#partitions.set(key, cubes)
    const cube = this.#cubeOf(file)
    const files = cubes.get(cube) ?? []
    cubes.set(cube, files)
    files.push(file)
  }

  /**
   * Yields the bins to rewrite: groups that become one Z-cube each, and single files of complete cubes that need a
   * rewrite.
   */
  *bins(): Generator<Bin & { readonly isCube: boolean }> {
    for (const cubes of this.#partitions.values()) {
      const small: PackingCandidate[] = []
      let parts = 0
      for (const [cube, files] of [...cubes].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (cube !== '' && sum(files) >= CUBE_FILES * this.#targetBytes) {
          for (const file of files.filter(needsRewrite))
            yield { files: [file], bytes: liveBytesOf(file), isCube: false }
        } else {
          small.push(...files)
          parts += cube === '' ? 2 : 1
        }
      }
      // A single small cube is only rewritten if many of its rows are deleted.
      if (parts < 2 && !small.some(needsRewrite)) continue
      for (const files of packFiles(small, 2 * CUBE_FILES * this.#targetBytes))
        yield { files, bytes: sum(files), isCube: true }
    }
  }

  /** Returns the Z-cube of a file, empty if it is in no cube of these columns. */
  #cubeOf({ tags }: PackingCandidate): string {
    const wanted = zcubeFieldsOf(this.#order, '').tags ?? {}
    const hasSameColumns = tags?.[COLUMNS_TAG] === wanted[COLUMNS_TAG]
    const curve = tags?.[CURVE_TAG] ?? 'hilbert'
    return hasSameColumns && curve === wanted[CURVE_TAG] ? (tags?.[CUBE_TAG] ?? '') : ''
  }
}

function* packFiles(
  files: readonly PackingCandidate[],
  bytesMax: number,
): Generator<readonly PackingCandidate[]> {
  let group: PackingCandidate[] = []
  let bytes = 0
  for (const file of files) {
    if (group.length > 0 && bytes + liveBytesOf(file) > bytesMax) {
      yield group
      group = []
      bytes = 0
    }
    group.push(file)
    bytes += liveBytesOf(file)
  }
  if (group.length > 0) yield group
}

function sum(files: readonly PackingCandidate[]): number {
  return files.reduce((bytes, file) => bytes + liveBytesOf(file), 0)
}
