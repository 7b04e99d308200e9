import { lastValueFrom, of } from 'rxjs'
import { marksOf } from '../../../config/dead-letters/sinks.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { appIdOf, commitDelta } from '../../../operators/commit-delta.ts'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import { NO_COUNTS, type Flush } from '../../core/batch.ts'
import { NO_TRACE } from '../../core/flush-trace.ts'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Marks } from '../../dead-letters/marks.ts'
import { Places } from '../../dead-letters/marks.ts'
import type { Place, StoredLetter } from '../../dead-letters/stored.ts'
import { toFiles, type RowParts } from '../../pipeline.ts'
import type { Logger } from '../../telemetry/log.ts'
import { openMarks, readMarks, replayAppId, type MarksTable } from './replay-ledger.ts'
import { rowsOfLetters, type Failure, type Playable } from './replay-rows.ts'
import type { Tables } from '../table/table-pool.ts'
import { openTarget, type Target } from '../table/target.ts'
import { formatOf } from '../topic/format.ts'

/** What a replay works with. */
export interface ReplayParts {
  readonly config: Config
  /** The stream whose format, contract and table the letters go through. */
  readonly topic: TopicConfig
  readonly tables: Tables
  /** Those that are wanted. */
  readonly letters: AsyncIterable<StoredLetter>
  /** Whether anything is written. */
  readonly isDry: boolean
  readonly log: Logger
  /** Told of every letter that fails again. */
  readonly onFailure?: (failure: Failure) => void
  readonly clock?: Clock
  /** Letters of one commit; default 20,000. */
  readonly lettersMax?: number
}

/** What became of the letters that a replay looked at. */
export interface Replayed {
  /** Letters that are in the table now, or would be; those of which the topic's rules make no row are among them. */
  readonly landed: number
  readonly rows: number
  /** Letters that failed again and stay open. */
  readonly failed: number
  /** Letters that were replayed or discarded before, or came twice. */
  readonly settled: number
  /** Letters whose flush the service has not committed yet. */
  readonly early: number
  /** Letters that cannot be replayed, by the reason. */
  readonly unplayable: ReadonlyMap<string, number>
  readonly versions: readonly bigint[]
}

const LETTERS_MAX = 20_000

/** Of keys and values of one commit. */
const BYTES_MAX = 32 * 1024 * 1024

/** Times that one batch is begun anew because another replay or another writer came first. */
const ATTEMPTS_MAX = 20

/**
 * Takes dead letters through the topic's present format, contract and rules into its table. Each lands once, however often
 * and wherever replays die, and however many run at once: a batch is noted in the marks as an intent, then committed with
 * a `txn` that follows on from the replay before it. That `txn` alone says which intents landed.
 * @throws what opening the topic's table, a format or the marks throws, and KD_COMMIT_CONTENDED
 */
export async function replay(parts: ReplayParts): Promise<Replayed> {
  const { config, topic, tables, log } = parts
  const target = await openTarget(
    topic,
    config,
    { onWarning: (warning) => log.warn({ code: warning.code }, warning.message), ...clockOf(parts) },
    tables,
  )
  try {
    const format = await formatOf(topic, config, target, tables.circuits)
    const replayer = new Replayer(parts, target, { ...target, format, ...clockOf(parts) })
    try {
      return await replayer.run()
    } finally {
      await replayer.close()
    }
  } finally {
    await target.release()
  }
}

class Replayer {
  readonly #parts: ReplayParts
  readonly #target: Target
  readonly #rowParts: RowParts
  readonly #marksUri: string
  #newest: bigint | undefined
  #marks: Marks | undefined
  #writable: MarksTable | undefined
  readonly #reached = new Map<number, bigint>()
  readonly #seen = new Places()
  readonly #unplayable = new Map<string, number>()
  readonly #versions: bigint[] = []
  readonly #counts = { landed: 0, rows: 0, failed: 0, settled: 0, early: 0 }

  constructor(parts: ReplayParts, target: Target, rowParts: RowParts) {
    this.#parts = parts
    this.#target = target
    this.#rowParts = rowParts
    this.#marksUri = marksOf(parts.topic)
  }

  async run(): Promise<Replayed> {
    await this.#look()
    let chunk: Playable[] = []
    let bytes = 0
    for await (const letter of this.#parts.letters) {
      const playable = await this.#playable(letter)
      if (playable === undefined) continue
      chunk.push(playable)
      bytes += (letter.value?.length ?? 0) + (letter.key?.length ?? 0)
      if (chunk.length < (this.#parts.lettersMax ?? LETTERS_MAX) && bytes < BYTES_MAX) continue
      await this.#play(chunk)
      chunk = []
      bytes = 0
    }
    if (chunk.length > 0) await this.#play(chunk)
    return { ...this.#counts, unplayable: this.#unplayable, versions: this.#versions }
  }

  async close(): Promise<void> {
    await this.#writable?.release()
  }

  /** What the main table holds first, what the marks say then: so the marks know every replay that is in the table. */
  async #look(): Promise<Marks> {
    const { topic, tables } = this.#parts
    this.#newest = await this.#target.table.txn(appIdOf(replayAppId(topic.appId), 0))
    this.#marks = await readMarks(tables, { uri: this.#marksUri, appId: topic.appId }, this.#newest)
    return this.#marks
  }

  async #playable(letter: StoredLetter): Promise<Playable | undefined> {
    const { place, unplayable } = letter
    const { topic } = this.#parts
    if (place === undefined || unplayable !== undefined) {
      if (place !== undefined && this.#marks?.stateOf(place) !== 'open') this.#counts.settled++
      else {
        const reason = unplayable ?? 'nobody knows which record it was'
        this.#unplayable.set(reason, (this.#unplayable.get(reason) ?? 0) + 1)
      }
      return undefined
    }
    if (this.#marks?.stateOf(place) !== 'open' || !this.#seen.add(place)) {
      this.#counts.settled++
      return undefined
    }
    if (place.offset > (await this.#reachedBy(topic.appId, place.partition))) {
      this.#counts.early++
      return undefined
    }
    return { place, letter }
  }

  /** What the service has committed: a letter beyond it may become a row by itself, should the service start again. */
  async #reachedBy(appId: string, partition: number): Promise<bigint> {
    const known = this.#reached.get(partition)
    if (known !== undefined) return known
    const reached = (await this.#target.table.txn(appIdOf(appId, partition))) ?? -1n
    this.#reached.set(partition, reached)
    return reached
  }

  async #play(all: readonly Playable[]): Promise<void> {
    const { isDry, onFailure } = this.#parts
    let chunk = all
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const made = await rowsOfLetters(chunk, this.#rowParts, this.#target.partitionColumns)
      const rows = made.chunks.reduce((sum, { columns }) => sum + columns.length, 0)
      const isDone = isDry || made.passed.length === 0 || (await this.#land(made.passed, made.chunks))
      if (isDone) {
        for (const failure of made.failed) onFailure?.(failure)
        this.#counts.failed += made.failed.length
        this.#counts.landed += made.passed.length
        this.#counts.rows += rows
        return
      }
      const marks = await this.#look()
      const open = chunk.filter(({ place }) => marks.stateOf(place) === 'open')
      this.#counts.settled += chunk.length - open.length
      if (open.length === 0) return
      chunk = open
    }
    throw new PipelineError('KD_COMMIT_CONTENDED', `other writers came first ${ATTEMPTS_MAX} times on end`, {
      table: this.#target.table.uri,
    })
  }

  /** Says false where another replay landed first, or the table changed so that the rows do not fit it: nothing was written. */
  async #land(passed: readonly Place[], chunks: readonly Chunk[]): Promise<boolean> {
    const { topic, tables } = this.#parts
    const { table } = this.#target
    const appId = replayAppId(topic.appId)
    const rows = chunks.reduce((sum, { columns }) => sum + columns.length, 0)
    const flush: Flush<readonly Chunk[]> = {
      id: this.#versions.length + 1,
      ranges: [],
      payload: chunks,
      deadLetters: [],
      counts: { ...NO_COUNTS, records: passed.length, rows, filtered: Math.max(0, passed.length - rows) },
      bytes: 0,
      newestMs: 0,
      trace: NO_TRACE,
    }
    const files = await lastValueFrom(
      of(flush).pipe(toFiles({ ...this.#target, ...clockOf(this.#parts) }, topic.parquet)),
    )
    this.#writable ??= await openMarks(tables, {
      uri: this.#marksUri,
      appId: topic.appId,
      ...clockOf(this.#parts),
    })
    const follows = this.#newest
    const batch = await this.#writable.note('replay', follows, passed)
    const ranges = [{ topic: topic.topic, partition: 0, follows, first: batch, last: batch }]
    const committed = await lastValueFrom(
      of({ ...files, ranges }).pipe(
        commitDelta({
          table,
          appId,
          ...clockOf(this.#parts),
          deadLetters: { write: () => Promise.resolve() },
          fenced: ({ payload }) => payload.discard(),
        }),
      ),
      { defaultValue: undefined },
    )
    if (committed === undefined) return false
    this.#newest = batch
    this.#versions.push(committed.payload.version)
    return true
  }
}

function clockOf({ clock }: ReplayParts): { readonly clock?: Clock } {
  return clock === undefined ? {} : { clock }
}
