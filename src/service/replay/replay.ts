import { replayLedgerUriOf } from '../../../config/dead-letters/sinks.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { appIdOf } from '../../../operators/commit-delta.ts'
import type { OrphanedFiles } from '../../../operators/write-parquet.ts'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import { createFlush } from '../../core/batch.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import { headerBytesOf } from '../../core/raw.ts'
import { causeOf } from '../../stored-letters/cause.ts'
import type { ReplayLedger } from '../../stored-letters/ledger.ts'
import { LetterSet } from '../../stored-letters/ledger.ts'
import type { LetterPosition, StoredLetter } from '../../stored-letters/stored.ts'
import { fileTargetOf, type RowPipelineOptions } from '../../pipeline.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { TopicExtensions } from '../operators/extensions.ts'
import { joinUserOperators } from '../operators/join.ts'
import { openReplayLedger, readReplayLedger, replayAppIdOf, type ReplayLedgerTable } from './replay-ledger.ts'
import { rowsOfLetters, type ReplayFailure, type ReplayableLetter } from './replay-rows.ts'
import { commitRowFiles, writeRowFiles } from '../table/commit-rows.ts'
import type { TablePool } from '../table/table-pool.ts'
import { openTarget, type Target } from '../table/target.ts'
import { createEventLog } from '../topic/event-log.ts'
import { openTopicFormat } from '../topic/format.ts'

/** Describes a replay. */
interface ReplayOptions {
  readonly config: Config
  /** The topic whose format, contract and table are applied. */
  readonly topic: TopicConfig
  /** Code of a user that runs on the rows of the topic, as in the service; the caller closes it. */
  readonly extensions?: TopicExtensions | undefined
  readonly tables: TablePool
  /** The letters to replay. */
  readonly letters: AsyncIterable<StoredLetter>
  /** True when nothing is to be written. */
  readonly isDry: boolean
  readonly log: Logger
  /** Called for each letter that fails again. */
  readonly onFailure?: (failure: ReplayFailure) => void
  readonly clock?: Clock
  /** Letters per commit; default 20,000. */
  readonly lettersMax?: number
}

/** Counts the outcomes of a replay. */
export interface ReplayResult {
  /** Letters whose rows were committed, or would be in a dry run; includes letters that the topic's rules filter. */
  readonly landed: number
  readonly rows: number
  /** Letters that failed again and stay open. */
  readonly failed: number
  /** Letters that were replayed or discarded before, or occur twice. */
  readonly settled: number
  /** Letters whose offsets the service has not committed yet. */
  readonly early: number
  /** Letters that cannot be replayed, by reason. */
  readonly unplayable: ReadonlyMap<string, number>
  readonly versions: readonly bigint[]
}

const LETTERS_MAX = 20_000

/** Bytes of keys, values and headers per commit. */
const BYTES_MAX = 32 * 1024 * 1024

/** Attempts per batch when other replays or writers commit first. */
const ATTEMPTS_MAX = 20

/**
 * Replays dead letters through the topic's present format, contract, rules and operators into its table. Each letter is
 * committed exactly once, even when replays crash or run concurrently: a batch is first recorded in the ledger as an
 * intent, then committed with a `txn` that follows the previous replay. Only that `txn` decides which intents were
 * committed.
 * @throws KD_COMMIT_CONTENDED when other writers come first too many times, and the errors of opening the table, the
 * format and the ledger
 */
export async function replayDeadLetters(options: ReplayOptions): Promise<ReplayResult> {
  const { config, topic, tables, log, extensions = {} } = options
  const target = await openTarget(
    topic,
    config,
    { onWarning: (warning) => log.warn({ code: warning.code }, warning.message), ...clockOf(options) },
    tables,
    { extensions },
  )
  target.transforms?.transformation.paths.follow(createEventLog(log))
  const replay = async (): Promise<ReplayResult> => {
    const format = await openTopicFormat(topic, config, target, tables.circuits, extensions.format)
    const replayer = new Replayer(options, target, {
      ...target,
      format,
      rows: joinUserOperators(extensions.rows ?? [], topic.topic),
      ...clockOf(options),
    })
    return await runThenCleanUp(
      () => replayer.run(),
      () => replayer.close(),
    )
  }
  return await runThenCleanUp(replay, () => target.release())
}

class Replayer {
  readonly #options: ReplayOptions
  readonly #target: Target
  readonly #rowOptions: RowPipelineOptions
  readonly #ledgerUri: string
  #newest: bigint | undefined
  #ledger: ReplayLedger | undefined
  #ledgerTable: ReplayLedgerTable | undefined
  readonly #committedOffsets = new Map<number, bigint>()
  readonly #seen = new LetterSet()
  readonly #unplayable = new Map<string, number>()
  readonly #versions: bigint[] = []
  readonly #counts = { landed: 0, rows: 0, failed: 0, settled: 0, early: 0 }

  constructor(options: ReplayOptions, target: Target, rowOptions: RowPipelineOptions) {
    this.#options = options
    this.#target = target
    this.#rowOptions = rowOptions
    this.#ledgerUri = replayLedgerUriOf(options.topic)
  }

  async run(): Promise<ReplayResult> {
    await this.#refreshLedger()
    let chunk: ReplayableLetter[] = []
    let bytes = 0
    for await (const letter of this.#options.letters) {
      const replayable = await this.#toReplayable(letter)
      if (replayable === undefined) continue
      chunk.push(replayable)
      bytes += (letter.value?.length ?? 0) + (letter.key?.length ?? 0) + headerBytesOf(letter.headers)
      if (chunk.length < (this.#options.lettersMax ?? LETTERS_MAX) && bytes < BYTES_MAX) continue
      await this.#replay(chunk)
      chunk = []
      bytes = 0
    }
    if (chunk.length > 0) await this.#replay(chunk)
    return { ...this.#counts, unplayable: this.#unplayable, versions: this.#versions }
  }

  async close(): Promise<void> {
    await this.#ledgerTable?.release()
  }

  /** Reads the main table before the ledger, so that the ledger contains every replay that the table holds. */
  async #refreshLedger(): Promise<ReplayLedger> {
    const { topic, tables } = this.#options
    this.#newest = await this.#target.table.txn(appIdOf(replayAppIdOf(topic.appId), 0))
    this.#ledger = await readReplayLedger(tables, { uri: this.#ledgerUri, appId: topic.appId }, this.#newest)
    return this.#ledger
  }

  async #toReplayable(letter: StoredLetter): Promise<ReplayableLetter | undefined> {
    const { position, unplayable } = letter
    const { topic } = this.#options
    if (position === undefined || unplayable !== undefined) {
      if (position !== undefined && this.#ledger?.stateOf(position) !== 'open') this.#counts.settled++
      else {
        // Without its numbers, so that there are few reasons.
        const reason = causeOf(unplayable ?? 'the letter does not say which record it was')
        this.#unplayable.set(reason, (this.#unplayable.get(reason) ?? 0) + 1)
      }
      return undefined
    }
    if (this.#ledger?.stateOf(position) !== 'open' || !this.#seen.add(position)) {
      this.#counts.settled++
      return undefined
    }
    if (position.offset > (await this.#committedOffset(topic.appId, position.partition))) {
      this.#counts.early++
      return undefined
    }
    return { position, letter }
  }

  /**
   * Returns the last offset that the service has committed: a letter beyond it may still become a row when the
   * service restarts.
   */
  async #committedOffset(appId: string, partition: number): Promise<bigint> {
    const known = this.#committedOffsets.get(partition)
    if (known !== undefined) return known
    const reached = (await this.#target.table.txn(appIdOf(appId, partition))) ?? -1n
    this.#committedOffsets.set(partition, reached)
    return reached
  }

  async #replay(all: readonly ReplayableLetter[]): Promise<void> {
    const { isDry, onFailure } = this.#options
    let chunk = all
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const replayed = await rowsOfLetters(chunk, this.#rowOptions, this.#target.partitionColumns)
      const rows = replayed.chunks.reduce((sum, { columns }) => sum + columns.length, 0)
      const isDone =
        isDry || replayed.passed.length === 0 || (await this.#commit(replayed.passed, replayed.chunks))
      if (isDone) {
        for (const failure of replayed.failed) onFailure?.(failure)
        this.#counts.failed += replayed.failed.length
        this.#counts.landed += replayed.passed.length
        this.#counts.rows += rows
        return
      }
      const ledger = await this.#refreshLedger()
      const open = chunk.filter(({ position }) => ledger.stateOf(position) === 'open')
      this.#counts.settled += chunk.length - open.length
      if (open.length === 0) return
      chunk = open
    }
    throw new PipelineError(
      'KD_COMMIT_CONTENDED',
      `other writers committed before each of ${ATTEMPTS_MAX} attempts`,
      {
        table: this.#target.table.uri,
      },
    )
  }

  /**
   * Commits the rows. Returns false when nothing was written, because another replay was committed first or the table
   * changed so that the rows no longer fit.
   */
  async #commit(passed: readonly LetterPosition[], chunks: readonly Chunk[]): Promise<boolean> {
    const { topic, tables, clock = systemClock } = this.#options
    const { table, store, columns, rowColumns } = this.#target
    const appId = replayAppIdOf(topic.appId)
    const rows = chunks.reduce((sum, { columns: { length } }) => sum + length, 0)
    const flush = createFlush(chunks, {
      id: this.#versions.length + 1,
      ranges: [],
      counts: { records: passed.length, rows, filtered: Math.max(0, passed.length - rows) },
    })
    const files = fileTargetOf(
      { table, store, columns, rowColumns, clock, onOrphaned: this.#warnOrphaned },
      topic.parquet,
    )
    const written = await writeRowFiles(flush, files)
    this.#ledgerTable ??= await openReplayLedger(tables, {
      uri: this.#ledgerUri,
      appId: topic.appId,
      ...clockOf(this.#options),
    })
    const follows = this.#newest
    const batch = await this.#ledgerTable.append('replay', follows, passed)
    const ranges = [{ topic: topic.topic, partition: 0, follows, first: batch, last: batch }]
    const outcome = await commitRowFiles({ ...written, ranges }, { table, appId, files, clock })
    if (outcome.kind !== 'committed') return false
    this.#newest = batch
    this.#versions.push(outcome.version)
    return true
  }

  readonly #warnOrphaned = ({ keys, reason }: OrphanedFiles): void =>
    this.#options.log.warn(
      { err: reason, files: keys.length },
      'Data files of a replay that was not committed could not be deleted: no version has them, VACUUM deletes them',
    )
}

function clockOf({ clock }: ReplayOptions): { readonly clock?: Clock } {
  return clock === undefined ? {} : { clock }
}
