import type { Store } from '../../storage/store.ts'
import type { Action } from '../protocol/actions.ts'
import { CheckpointPart, type Rows, V2_COLUMNS } from './checkpoint-part.ts'
import type { Sidecar } from './checkpoint-schema.ts'
import { asLong, asSafeInteger, asString, Fields } from '../protocol/fields.ts'
import type { Checkpoint } from './log-segment.ts'
import { isUuidCheckpoint, sidecarKey } from '../protocol/paths.ts'

/** The actions that a checkpoint may hold; each is a column of its own. Spec: "Checkpoint Schema". */
export type CheckpointColumn = 'protocol' | 'metaData' | 'txn' | 'domainMetadata' | 'add' | 'remove'

/** Columns of everything but files: what a writer reads. */
export const STATE_COLUMNS: readonly CheckpointColumn[] = ['protocol', 'metaData', 'txn', 'domainMetadata']

/** Columns of files. */
export const FILE_COLUMNS: readonly CheckpointColumn[] = ['add', 'remove']

/** Fields of files that a caller may do without; those of statistics are most of a checkpoint. */
export type OmittedField = 'add.stats' | 'add.tags'

/**
 * Actions of a checkpoint of one or many parts, some thousands at a time, of the columns asked for alone: the bytes of
 * others, and of fields that are `omitted`, are not fetched where the file is Parquet. Sidecars are read only where files
 * are asked for. Statistics that are there as a struct alone become text. Throws `KD_TABLE_CORRUPT` with the version and
 * the file, also where a part or a sidecar is missing. Spec: "Checkpoints" (V1 and V2 spec), "Sidecar Files".
 */
export async function* readCheckpoint(
  store: Store,
  { version, keys }: Checkpoint,
  columns: readonly CheckpointColumn[],
  omitted: readonly OmittedField[] = [],
): AsyncGenerator<readonly Action[]> {
  const withFiles = columns.some((column) => FILE_COLUMNS.includes(column))
  for (const key of keys) {
    const part = new CheckpointPart(store, version, key)
    const manifest = new Manifest(part, version)
    for await (const rows of part.rows([...columns, ...V2_COLUMNS], omitted)) {
      manifest.take(rows)
      yield* part.actionsOf(rows, columns)
    }
    const sidecars = manifest.end()
    if (!withFiles) continue
    for (const { path } of sidecars) {
      yield* new CheckpointPart(store, version, sidecarKey(path)).actions(columns, omitted)
    }
  }
}

/** A file of a checkpoint, and what its manifest says of it where it is a sidecar. */
export interface NamedPart {
  readonly part: CheckpointPart
  readonly sidecar: Sidecar | undefined
}

/** The files that a checkpoint consists of, sidecars after what names them. Throws as `readCheckpoint` does. */
export async function checkpointParts(
  store: Store,
  { version, keys }: Checkpoint,
): Promise<readonly NamedPart[]> {
  const parts: NamedPart[] = []
  for (const key of keys) {
    const part = new CheckpointPart(store, version, key)
    const manifest = new Manifest(part, version)
    for await (const rows of part.rows(V2_COLUMNS)) manifest.take(rows)
    const sidecars = manifest.end().map((sidecar) => ({
      part: new CheckpointPart(store, version, sidecarKey(sidecar.path)),
      sidecar,
    }))
    parts.push({ part, sidecar: undefined }, ...sidecars)
  }
  return parts
}

/** What a checkpoint says of itself. Spec: "Checkpoint Metadata", "Sidecar File Information". */
class Manifest {
  readonly #part: CheckpointPart
  readonly #version: bigint
  readonly #described: bigint[] = []
  readonly #sidecars: Sidecar[] = []

  constructor(part: CheckpointPart, version: bigint) {
    this.#part = part
    this.#version = version
  }

  take(rows: Rows): void {
    this.#part.checked(() => {
      for (const body of rows.bodiesOf('checkpointMetadata')) {
        this.#described.push(new Fields(body, 'checkpointMetadata').required('version', asLong))
      }
      for (const body of rows.bodiesOf('sidecar')) this.#sidecars.push(readSidecar(body))
    })
  }

  /** The sidecars, once every row was taken: a checkpoint of the V2 spec says of which version it is, one of V1 never. */
  end(): readonly Sidecar[] {
    const other = this.#described.find((own) => own !== this.#version)
    if (other !== undefined) throw this.#part.corrupt(`checkpointMetadata.version is ${other}`)
    if (this.#described.length === 0 && isUuidCheckpoint(this.#part.key)) {
      throw this.#part.corrupt('checkpointMetadata is missing')
    }
    return this.#sidecars
  }
}

function readSidecar(body: unknown): Sidecar {
  const fields = new Fields(body, 'sidecar')
  const path = fields.required('path', asString)
  // A path that leads elsewhere is found out before anything is read.
  sidecarKey(path)
  return {
    path,
    sizeInBytes: fields.optional('sizeInBytes', asSafeInteger) ?? 0,
    modificationTime: fields.optional('modificationTime', asSafeInteger) ?? 0,
  }
}
