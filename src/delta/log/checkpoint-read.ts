import type { Store } from '../../storage/store.ts'
import type { Action } from '../protocol/actions.ts'
import { CheckpointPart, type CheckpointRows, V2_CHECKPOINT_COLUMNS } from './checkpoint-part.ts'
import type { Sidecar } from './checkpoint-schema.ts'
import { asLong, asSafeInteger, asString, JsonFields } from '../protocol/fields.ts'
import type { Checkpoint } from './log-segment.ts'
import { isUuidCheckpoint, sidecarKey } from '../protocol/paths.ts'

/** Names the actions that a checkpoint may hold; each is a column of its own. Spec: "Checkpoint Schema". */
type CheckpointColumn = 'protocol' | 'metaData' | 'txn' | 'domainMetadata' | 'add' | 'remove'

/** Lists the columns of everything except files: a writer reads only these. */
export const STATE_COLUMNS: readonly CheckpointColumn[] = ['protocol', 'metaData', 'txn', 'domainMetadata']

/** Lists the columns of file actions. */
export const FILE_COLUMNS: readonly CheckpointColumn[] = ['add', 'remove']

/** Names fields of file actions that a caller can leave out; statistics take most of the bytes of a checkpoint. */
export type OmittedField = 'add.stats' | 'add.tags'

/**
 * Yields the actions of a checkpoint in batches of some thousands, for `columns` only: the bytes of other columns and
 * of `omitted` fields are not fetched from Parquet. Sidecars are read only if files are requested. Statistics that
 * exist only as a struct are converted to text. Spec: "Checkpoints" (V1 and V2 spec), "Sidecar Files".
 * @throws KD_TABLE_CORRUPT with the version and the file, also if a part or a sidecar is missing
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
    for await (const rows of part.rows([...columns, ...V2_CHECKPOINT_COLUMNS], omitted)) {
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

/** Holds a file of a checkpoint and, for a sidecar, its entry in the manifest. */
interface PartWithSidecar {
  readonly part: CheckpointPart
  readonly sidecar: Sidecar | undefined
}

/** Lists the files of a checkpoint; sidecars follow the file that names them. Throws like `readCheckpoint`. */
export async function listCheckpointParts(
  store: Store,
  { version, keys }: Checkpoint,
): Promise<readonly PartWithSidecar[]> {
  const parts: PartWithSidecar[] = []
  for (const key of keys) {
    const part = new CheckpointPart(store, version, key)
    const manifest = new Manifest(part, version)
    for await (const rows of part.rows(V2_CHECKPOINT_COLUMNS)) manifest.take(rows)
    const sidecars = manifest.end().map((sidecar) => ({
      part: new CheckpointPart(store, version, sidecarKey(sidecar.path)),
      sidecar,
    }))
    parts.push({ part, sidecar: undefined }, ...sidecars)
  }
  return parts
}

/**
 * Collects the metadata rows of a checkpoint file: its version and its sidecars. Spec: "Checkpoint Metadata", "Sidecar
 * File Information".
 */
class Manifest {
  readonly #part: CheckpointPart
  readonly #version: bigint
  readonly #versions: bigint[] = []
  readonly #sidecars: Sidecar[] = []

  constructor(part: CheckpointPart, version: bigint) {
    this.#part = part
    this.#version = version
  }

  take(rows: CheckpointRows): void {
    this.#part.orCorrupt(() => {
      for (const body of rows.bodiesOf('checkpointMetadata')) {
        this.#versions.push(new JsonFields(body, 'checkpointMetadata').required('version', asLong))
      }
      for (const body of rows.bodiesOf('sidecar')) this.#sidecars.push(readSidecar(body))
    })
  }

  /** Returns the sidecars after all rows were taken. A V2 checkpoint states its version, a V1 checkpoint does not. */
  end(): readonly Sidecar[] {
    const other = this.#versions.find((version) => version !== this.#version)
    if (other !== undefined) throw this.#part.corrupt(`checkpointMetadata.version is ${other}`)
    if (this.#versions.length === 0 && isUuidCheckpoint(this.#part.key)) {
      throw this.#part.corrupt('checkpointMetadata is missing')
    }
    return this.#sidecars
  }
}

function readSidecar(body: unknown): Sidecar {
  const fields = new JsonFields(body, 'sidecar')
  const path = fields.required('path', asString)
  // An invalid path fails here, before anything is read.
  sidecarKey(path)
  return {
    path,
    sizeInBytes: fields.optional('sizeInBytes', asSafeInteger) ?? 0,
    modificationTime: fields.optional('modificationTime', asSafeInteger) ?? 0,
  }
}
