import { stringify } from 'lossless-json'
import { PipelineError } from '../../core/errors.ts'
import { type RowGroupSource, joinRowGroups } from '../../parquet/join.ts'
import type { Store } from '../../storage/store.ts'
import type { Add, Remove } from '../protocol/actions.ts'
import { type ReusedCheckpoint, reuseCheckpoint } from './checkpoint-reuse.ts'
import { checkSameTable, deleteIfUnchanged, undoUnlessSameTable } from './same-table.ts'
import { encodeCheckpointRows } from './checkpoint-rows.ts'
import { readCheckpoint, STATE_COLUMNS } from '../log/checkpoint-read.ts'
import { checkpointSchemaOf, type CheckpointRow, type Sidecar } from '../log/checkpoint-schema.ts'
import { type FileAction, readFilesAfterCheckpoint } from '../log/live-files.ts'
import { parseIntervalMs } from '../protocol/interval.ts'
import { writeLastCheckpoint } from '../log/last-checkpoint.ts'
import { findLogSegment } from '../log/log-segment.ts'
import { ParsedAddFields } from '../log/parsed-stats.ts'
import {
  checkpointKey,
  LAST_CHECKPOINT_KEY,
  newCheckpointKey,
  newSidecarName,
  sidecarKey,
} from '../protocol/paths.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import { loadState, parseMetadata } from '../log/snapshot.ts'
import { applyActions, EMPTY_STATE, type PartialState, type TableState } from '../log/state.ts'

type Configuration = Readonly<Record<string, string>>

const INTERVAL = 10n
const TOMBSTONES_KEPT_MS = 7 * 86_400_000
/** Maximum of row groups in a sidecar, each of at most 50,000 files. */
const SIDECAR_GROUPS_MAX = 2
const COPIED_ROWS_MIN = 25_000
/** Every tenth V2 checkpoint has the classic name, which tells old readers that they do not support the table. */
const CLASSIC_EVERY = 10n

/** Returns the number of commits between two checkpoints: `delta.checkpointInterval`, 10 by default. */
export function checkpointIntervalOf(configuration: Configuration): bigint {
  const text = configuration['delta.checkpointInterval'] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? BigInt(text) : INTERVAL
}

/** Configures how a checkpoint is written. */
interface CheckpointOptions {
  /** Current time, which decides whether tombstones have expired and dates the files. */
  readonly nowMs: number
  /** State of the version, if the caller has it. */
  readonly knownState?: TableState
  /** Minimum of files in a row group of the previous checkpoint that is copied; 25,000 by default. */
  readonly copiedRowsMin?: number
}

/**
 * Writes a checkpoint of `version`, unless it exists, and names it in `_last_checkpoint`. It is one file of the V1
 * spec, or a manifest with sidecars of the V2 spec if the table has that feature and `delta.checkpointPolicy` requests
 * it. Valid parts of the previous checkpoint are copied without decoding; everything else is streamed: memory holds the
 * commits since then and one row group. Concurrent writers of one version do no harm: each puts whole files with the
 * same contents.
 *
 * Returns the key of the checkpoint file, and the bytes of all its files. Spec: "Checkpoints", "V1 Spec", "V2 Spec".
 * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
 */
export async function writeCheckpoint(
  store: Store,
  version: bigint,
  options: CheckpointOptions,
): Promise<{ readonly key: string; readonly bytes: number }> {
  const segment = await findLogSegment(store, version)
  const [existing] = segment.checkpoint?.version === version ? segment.checkpoint.keys : []
  if (existing !== undefined) return { key: existing, bytes: (await store.size(existing)) ?? 0 }
  const state = options.knownState?.version === version ? options.knownState : await loadState(store, segment)
  const tail = await readFilesAfterCheckpoint(store, segment)
  const written = new CheckpointWriter(store, state, options)
  const { key, rows, adds, bytes } = written.isV2
    ? await written.writeV2(segment.checkpoint, tail)
    : await written.writeClassic(segment.checkpoint, tail)
  const hint = await writeLastCheckpoint(store, {
    version: Number(version),
    size: rows,
    sizeInBytes: bytes,
    numOfAddFiles: adds,
  })
  // A reader of a table that took the place of this one would take its files from here.
  const undo = async (): Promise<void> => {
    if (hint !== undefined) await deleteIfUnchanged(store, LAST_CHECKPOINT_KEY, hint)
    await deleteCheckpointOf(store, state, key)
  }
  await undoUnlessSameTable(store, state, undo, key)
  return { key, bytes }
}

/** Deletes a checkpoint if it is one of this state: another table may have its own under this key. */
async function deleteCheckpointOf(store: Store, state: TableState, key: string): Promise<void> {
  let found: PartialState = EMPTY_STATE
  try {
    for await (const actions of readCheckpoint(store, { version: state.version, keys: [key] }, STATE_COLUMNS))
      found = applyActions(found, state.version, actions)
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND') return
    throw error
  }
  const textOf = ({ metadata, txns }: PartialState): string =>
    String(stringify([metadata?.id, [...txns.values()].map(({ appId, version }) => [appId, version]).sort()]))
  if (textOf(found) === textOf(state)) await store.delete(key)
}

interface Counts {
  rows: number
  adds: number
  bytes: number
}

type Tail = ReadonlyMap<string, FileAction>
type PreviousCheckpoint = Parameters<typeof reuseCheckpoint>[1]

/** Writes the checkpoint of one table state. */
class CheckpointWriter {
  readonly isV2: boolean
  readonly #store: Store
  readonly #state: TableState
  readonly #nowMs: number
  readonly #tombstonesFromMs: number
  readonly #withStats: boolean
  readonly #copiedRowsMin: number
  readonly #parsed: ParsedAddFields | undefined
  readonly #counts: Counts = { rows: 0, adds: 0, bytes: 0 }

  constructor(store: Store, state: TableState, { nowMs, copiedRowsMin }: CheckpointOptions) {
    const { configuration } = state.metadata
    this.#store = store
    this.#state = state
    this.#nowMs = nowMs
    this.#copiedRowsMin = copiedRowsMin ?? COPIED_ROWS_MIN
    // Spec: "Add File and Remove File": a tombstone expires when the threshold has passed since the removal.
    this.#tombstonesFromMs =
      nowMs - parseIntervalMs(configuration['delta.deletedFileRetentionDuration'], TOMBSTONES_KEPT_MS)
    this.#withStats = isPropertySet(configuration, 'delta.checkpoint.writeStatsAsJson', true)
    if (isPropertySet(configuration, 'delta.checkpoint.writeStatsAsStruct')) {
      const clustering = state.domains.get('delta.clustering')?.configuration
      this.#parsed = new ParsedAddFields({
        protocol: state.protocol,
        metadata: parseMetadata(state.metadata),
        ...(clustering === undefined ? {} : { clustering }),
      })
    }
    this.isV2 =
      configuration['delta.checkpointPolicy'] === 'v2' &&
      writerFeaturesOf(state.protocol).includes('v2Checkpoint')
  }

  async writeClassic(before: PreviousCheckpoint, tail: Tail): Promise<Counts & { readonly key: string }> {
    const schema = checkpointSchemaOf('classic', this.#parsed?.fields)
    // Protocol, metadata and `txn`s form the first row group: a reader that needs no files reads only that.
    const state = await collectAll(encodeCheckpointRows(schema, this.#counted(this.#stateRows())))
    const reused = await this.#reuse(before, tail, state, false)
    const files = this.#fileGroups(schema, reused, tail)
    const key = checkpointKey(this.#state.version)
    const checkTable = (): Promise<void> => checkSameTable(this.#store, this.#state)
    const { bytes } = await this.#store.put(
      key,
      joinRowGroups(
        (async function* () {
          yield* state
          yield* files
          await reused.assertUnchanged()
          await checkTable()
        })(),
      ),
    )
    return { ...this.#counts, key, bytes }
  }

  async writeV2(before: PreviousCheckpoint, tail: Tail): Promise<Counts & { readonly key: string }> {
    const schema = checkpointSchemaOf('sidecar', this.#parsed?.fields)
    // Only the columns of this row group matter.
    const like = await collectAll(encodeCheckpointRows(schema, [{ remove: { path: '', dataChange: false } }]))
    const reused = await this.#reuse(before, tail, like, true)
    const sidecars: Sidecar[] = []
    for (const { sidecar, adds } of reused.sidecars) {
      sidecars.push(sidecar)
      this.#counts.rows += adds
      this.#counts.adds += adds
      this.#counts.bytes += sidecar.sizeInBytes
    }
    const files = this.#fileGroups(schema, reused, tail)
    for (let next = await files.next(); next.done !== true; next = await files.next()) {
      sidecars.push(await this.#putSidecar(next.value, files))
    }
    await reused.assertUnchanged()
    await checkSameTable(this.#store, this.#state)
    const { version } = this.#state
    const rows = [
      { checkpointMetadata: { version } },
      ...this.#stateRows(),
      ...sidecars.map((sidecar): CheckpointRow => ({ sidecar })),
    ]
    const number = version / checkpointIntervalOf(this.#state.metadata.configuration)
    const isClassic = number > 0n && number % CLASSIC_EVERY === 0n
    const key = isClassic ? checkpointKey(version) : newCheckpointKey(version)
    const { bytes } = await this.#store.put(
      key,
      joinRowGroups(
        encodeCheckpointRows(checkpointSchemaOf('manifest', this.#parsed?.fields), this.#counted(rows)),
      ),
    )
    return { ...this.#counts, key, bytes: this.#counts.bytes + bytes }
  }

  /** Writes a sidecar of the row group and as many following ones as it may hold. */
  async #putSidecar(first: RowGroupSource, more: AsyncGenerator<RowGroupSource>): Promise<Sidecar> {
    const path = newSidecarName()
    const groups = async function* (): AsyncGenerator<RowGroupSource> {
      yield first
      for (let count = 1; count < SIDECAR_GROUPS_MAX; count++) {
        const next = await more.next()
        if (next.done === true) return
        yield next.value
      }
    }
    const { bytes } = await this.#store.put(sidecarKey(path), joinRowGroups(groups()))
    this.#counts.bytes += bytes
    return { path, sizeInBytes: bytes, modificationTime: this.#nowMs }
  }

  async #reuse(
    before: PreviousCheckpoint,
    tail: Tail,
    [like]: readonly RowGroupSource[],
    keepSidecars: boolean,
  ): Promise<ReusedCheckpoint> {
    if (like === undefined) throw new Error('Broken invariant: a checkpoint has rows')
    const rules = {
      like: like.footer,
      withStats: this.#withStats,
      keepSidecars,
      rowsMin: this.#copiedRowsMin,
    }
    return await reuseCheckpoint(this.#store, before, tail, rules)
  }

  /** Yields the row groups of files: the copied ones, then the remaining files together with new ones. */
  async *#fileGroups(
    schema: ReturnType<typeof checkpointSchemaOf>,
    reused: ReusedCheckpoint,
    tail: Tail,
  ): AsyncGenerator<RowGroupSource> {
    for (const group of reused.groups) {
      this.#counts.rows += group.group.rows
      this.#counts.adds += group.group.rows
      yield group
    }
    yield* encodeCheckpointRows(schema, this.#counted(this.#fileRows(reused, tail)))
  }

  *#stateRows(): Generator<CheckpointRow> {
    const { protocol, metadata, txns, domains } = this.#state
    yield { protocol }
    yield { metaData: metadata }
    for (const txn of txns.values()) yield { txn }
    for (const domainMetadata of domains.values()) yield { domainMetadata }
  }

  async *#fileRows(reused: ReusedCheckpoint, tail: Tail): AsyncGenerator<CheckpointRow> {
    for await (const file of reused.remainingFiles()) yield* this.#rowOf(file)
    for (const file of tail.values()) yield* this.#rowOf(file)
  }

  /** A checkpoint only restates files: `dataChange` is false for all of them. */
  *#rowOf(file: FileAction): Generator<CheckpointRow> {
    if (file.kind === 'add') yield { add: this.#addOf(file.add) }
    else if (!this.#isExpired(file.remove)) yield { remove: { ...file.remove, dataChange: false } }
  }

  #addOf(add: Add): Add {
    const { stats, ...rest } = add
    return {
      ...rest,
      ...(this.#withStats && stats !== undefined ? { stats } : {}),
      ...this.#parsed?.valuesOf(add),
      dataChange: false,
    }
  }

  #isExpired({ deletionTimestamp }: Remove): boolean {
    return (deletionTimestamp ?? 0) < this.#tombstonesFromMs
  }

  async *#counted(
    rows: AsyncIterable<CheckpointRow> | Iterable<CheckpointRow>,
  ): AsyncGenerator<CheckpointRow> {
    for await (const row of rows) {
      this.#counts.rows++
      if ('add' in row) this.#counts.adds++
      yield row
    }
  }
}

async function collectAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
