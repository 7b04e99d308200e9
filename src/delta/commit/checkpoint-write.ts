import { type GroupBytes, joinGroups } from '../../parquet/join.ts'
import type { Store } from '../../storage/store.ts'
import type { Add, Remove } from '../protocol/actions.ts'
import { type Carried, carryOver } from './checkpoint-reuse.ts'
import { encodeRows } from './checkpoint-rows.ts'
import { checkpointSchema, type CheckpointRow, type Sidecar } from '../log/checkpoint-schema.ts'
import { type FileAction, filesAfterCheckpoint } from '../log/live-files.ts'
import { intervalMs } from '../protocol/interval.ts'
import { writeLastCheckpoint } from '../log/last-checkpoint.ts'
import { findSegment } from '../log/log-segment.ts'
import { ParsedFields } from '../log/parsed-stats.ts'
import { checkpointKey, newCheckpointKey, newSidecarName, sidecarKey } from '../protocol/paths.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import { loadState, readableMetadata } from '../log/snapshot.ts'
import type { TableState } from '../log/state.ts'

type Configuration = Readonly<Record<string, string>>

const INTERVAL = 10n
const TOMBSTONES_KEPT_MS = 7 * 86_400_000
/** Row groups of a sidecar at most, each of at most 50,000 files. */
const SIDECAR_GROUPS_MAX = 2
const COPIED_ROWS_MIN = 25_000
/** One in so many checkpoints of the V2 spec has the classic name, by which old readers learn that they are too old. */
const CLASSIC_EVERY = 10n

/** Commits between two checkpoints: `delta.checkpointInterval`, 10 by default. */
export function checkpointInterval(configuration: Configuration): bigint {
  const text = configuration['delta.checkpointInterval'] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? BigInt(text) : INTERVAL
}

/** How a checkpoint is written. */
export interface CheckpointOptions {
  /** By which tombstones expire. */
  readonly nowMs: number
  /** The state of the version, where the caller holds it. */
  readonly known?: TableState
  /** Row groups of the checkpoint before with fewer files are never copied; 25,000 by default. */
  readonly copiedRowsMin?: number
}

/**
 * Writes a checkpoint of `version`, unless there is one, and names it in `_last_checkpoint`: one file of the V1 spec, or a
 * manifest with sidecars of the V2 spec where the table has that feature and `delta.checkpointPolicy` asks for it. What the
 * checkpoint before has that still holds is taken over unread, and everything else streams: memory holds the commits since
 * then and one row group. Writers of one version do not harm each other: each puts whole files, and all say the same.
 * Gives the checkpoint's file, and the bytes of all that belongs
 * to it. Spec: "Checkpoints", "V1 Spec", "V2 Spec".
 */
export async function writeCheckpoint(
  store: Store,
  version: bigint,
  options: CheckpointOptions,
): Promise<{ readonly key: string; readonly bytes: number }> {
  const segment = await findSegment(store, version)
  const [there] = segment.checkpoint?.version === version ? segment.checkpoint.keys : []
  if (there !== undefined) return { key: there, bytes: (await store.size(there)) ?? 0 }
  const state = options.known?.version === version ? options.known : await loadState(store, segment)
  const tail = await filesAfterCheckpoint(store, segment)
  const written = new CheckpointWriter(store, state, options)
  const { key, rows, adds, bytes } = written.isV2
    ? await written.writeV2(segment.checkpoint, tail)
    : await written.writeClassic(segment.checkpoint, tail)
  await writeLastCheckpoint(store, {
    version: Number(version),
    size: rows,
    sizeInBytes: bytes,
    numOfAddFiles: adds,
  })
  return { key, bytes }
}

interface Counts {
  rows: number
  adds: number
  bytes: number
}

type Tail = ReadonlyMap<string, FileAction>
type Before = Parameters<typeof carryOver>[1]

/** Writes the checkpoint of one state. */
class CheckpointWriter {
  readonly isV2: boolean
  readonly #store: Store
  readonly #state: TableState
  readonly #tombstonesFromMs: number
  readonly #withStats: boolean
  readonly #copiedRowsMin: number
  readonly #parsed: ParsedFields | undefined
  readonly #counts: Counts = { rows: 0, adds: 0, bytes: 0 }

  constructor(store: Store, state: TableState, { nowMs, copiedRowsMin }: CheckpointOptions) {
    const { configuration } = state.metadata
    this.#store = store
    this.#state = state
    this.#copiedRowsMin = copiedRowsMin ?? COPIED_ROWS_MIN
    // Spec: "Add File and Remove File": a tombstone expires once the threshold has passed since the removal.
    this.#tombstonesFromMs =
      nowMs - intervalMs(configuration['delta.deletedFileRetentionDuration'], TOMBSTONES_KEPT_MS)
    this.#withStats = configuration['delta.checkpoint.writeStatsAsJson'] !== 'false'
    if (configuration['delta.checkpoint.writeStatsAsStruct'] === 'true') {
      const clustering = state.domains.get('delta.clustering')?.configuration
      this.#parsed = new ParsedFields({
        protocol: state.protocol,
        metadata: readableMetadata(state.metadata),
        ...(clustering === undefined ? {} : { clustering }),
      })
    }
    this.isV2 =
      configuration['delta.checkpointPolicy'] === 'v2' &&
      writerFeatures(state.protocol).includes('v2Checkpoint')
  }

  async writeClassic(before: Before, tail: Tail): Promise<Counts & { readonly key: string }> {
    const schema = checkpointSchema('classic', this.#parsed?.fields)
    // Protocol, metadata and offsets are a row group of their own at the start: who needs no files reads no more of it.
    const state = await collected(encodeRows(schema, this.#counted(this.#stateRows())))
    const carried = await this.#carry(before, tail, state, false)
    const files = this.#fileGroups(schema, carried, tail)
    const key = checkpointKey(this.#state.version)
    const { bytes } = await this.#store.put(
      key,
      joinGroups(
        (async function* () {
          yield* state
          yield* files
          await carried.checkSame()
        })(),
      ),
    )
    return { ...this.#counts, key, bytes }
  }

  async writeV2(before: Before, tail: Tail): Promise<Counts & { readonly key: string }> {
    const schema = checkpointSchema('sidecar', this.#parsed?.fields)
    // Only its columns count: an empty row group has them too.
    const like = await collected(encodeRows(schema, [{ remove: { path: '', dataChange: false } }]))
    const carried = await this.#carry(before, tail, like, true)
    const sidecars: Sidecar[] = []
    for (const { sidecar, adds } of carried.sidecars) {
      sidecars.push(sidecar)
      this.#counts.rows += adds
      this.#counts.adds += adds
      this.#counts.bytes += sidecar.sizeInBytes
    }
    const files = this.#fileGroups(schema, carried, tail)
    for (let next = await files.next(); next.done !== true; next = await files.next()) {
      sidecars.push(await this.#putSidecar(next.value, files))
    }
    await carried.checkSame()
    const { version } = this.#state
    const rows = [
      { checkpointMetadata: { version } },
      ...this.#stateRows(),
      ...sidecars.map((sidecar): CheckpointRow => ({ sidecar })),
    ]
    const number = version / checkpointInterval(this.#state.metadata.configuration)
    const isClassic = number > 0n && number % CLASSIC_EVERY === 0n
    const key = isClassic ? checkpointKey(version) : newCheckpointKey(version)
    const { bytes } = await this.#store.put(
      key,
      joinGroups(encodeRows(checkpointSchema('manifest', this.#parsed?.fields), this.#counted(rows))),
    )
    return { ...this.#counts, key, bytes: this.#counts.bytes + bytes }
  }

  /** A file of the row group and those after it that have room. */
  async #putSidecar(first: GroupBytes, more: AsyncGenerator<GroupBytes>): Promise<Sidecar> {
    const path = newSidecarName()
    const groups = async function* (): AsyncGenerator<GroupBytes> {
      yield first
      for (let count = 1; count < SIDECAR_GROUPS_MAX; count++) {
        const next = await more.next()
        if (next.done === true) return
        yield next.value
      }
    }
    const { bytes } = await this.#store.put(sidecarKey(path), joinGroups(groups()))
    this.#counts.bytes += bytes
    return { path, sizeInBytes: bytes, modificationTime: Date.now() }
  }

  async #carry(
    before: Before,
    tail: Tail,
    [like]: readonly GroupBytes[],
    keepSidecars: boolean,
  ): Promise<Carried> {
    if (like === undefined) throw new Error('Broken invariant: a checkpoint has rows')
    const rules = {
      like: like.footer,
      withStats: this.#withStats,
      keepSidecars,
      rowsMin: this.#copiedRowsMin,
    }
    return await carryOver(this.#store, before, tail, rules)
  }

  /** Row groups of files: those that are copied, then the rest together with what is new. */
  async *#fileGroups(
    schema: ReturnType<typeof checkpointSchema>,
    carried: Carried,
    tail: Tail,
  ): AsyncGenerator<GroupBytes> {
    for (const group of carried.groups) {
      this.#counts.rows += group.group.rows
      this.#counts.adds += group.group.rows
      yield group
    }
    yield* encodeRows(schema, this.#counted(this.#fileRows(carried, tail)))
  }

  *#stateRows(): Generator<CheckpointRow> {
    const { protocol, metadata, txns, domains } = this.#state
    yield { protocol }
    yield { metaData: metadata }
    for (const txn of txns.values()) yield { txn }
    for (const domainMetadata of domains.values()) yield { domainMetadata }
  }

  async *#fileRows(carried: Carried, tail: Tail): AsyncGenerator<CheckpointRow> {
    for await (const file of carried.rest()) yield* this.#rowOf(file)
    for (const file of tail.values()) yield* this.#rowOf(file)
  }

  /** A checkpoint only restates: none of its rows is a change of data. */
  *#rowOf(file: FileAction): Generator<CheckpointRow> {
    if (file.kind === 'add') yield { add: this.#addOf(file.add) }
    else if (!this.#isExpired(file.remove)) yield { remove: { ...file.remove, dataChange: false } }
  }

  #addOf(add: Add): Add {
    const { stats, ...rest } = add
    return {
      ...rest,
      ...(this.#withStats && stats !== undefined ? { stats } : {}),
      ...this.#parsed?.of(add),
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

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
