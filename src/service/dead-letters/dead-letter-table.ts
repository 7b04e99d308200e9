import { appIdOf } from '../../../operators/commit-delta.ts'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import { systemClock } from '../../core/clock.ts'
import { withOrdinals } from '../../core/dead-letter.ts'
import { PipelineError } from '../../core/errors.ts'
import { headerBytesOf } from '../../core/raw.ts'
import { activeTraceId } from '../../core/stage/span.ts'
import type { TableWriterOptions } from '../../delta/commit/log-writer.ts'
import { DEAD_LETTER_PARTITIONS, DEAD_LETTER_SCHEMA, toDeadLetterRow } from '../../stored-letters/row.ts'
import type { RetryPolicy } from '../../resilience/retries.ts'
import type { DeadLettersWritten, DeadLetterTopic } from '../../kafka/dead-letters/dead-letters.ts'
import type { DeadLetterColumns } from './dead-letter-columns.ts'
import { openSideTable, type SideTable } from '../table/side-table.ts'
import type { TablePool } from '../table/table-pool.ts'

/** Describes a table of dead letters. */
interface DeadLetterTableOptions extends TableWriterOptions {
  readonly uri: string
  /** Application id of the topic: the `txn` of partition 3 has the appId `<appId>-dlq-3`. */
  readonly appId: string
  /** True when columns that an existing table lacks are added; otherwise these columns are left out. */
  readonly evolves: boolean
  /** Retry policy of the table's store. */
  readonly retryPolicy?: RetryPolicy
  /** Columns computed from expressions. */
  readonly columns?: DeadLetterColumns
  /** Approximate bytes of letters per commit; default 16 MiB. Bounds the memory while letters exist in two forms. */
  readonly commitBytesMax?: number
}

const COMMIT_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of a row besides key, value and headers. */
const ROW_BYTES_OVERHEAD = 512
/** Consecutive conflicts with another writer of the same partitions before giving up. */
const FENCED_MAX = 20

type Numbered = ReturnType<typeof withOrdinals>[number]

/**
 * Opens a Delta table that holds each dead letter exactly once, or creates it when it does not exist.
 *
 * Exactly once also holds when the process dies between this write and the commit of the rows: a commit carries a
 * `txn` for each source partition, with the last offset that it covers. Letters at or below that offset were written
 * before and are skipped. A commit that does not follow that offset, from a member that lost the partition, is
 * fenced.
 * @throws KD_SCHEMA_MISMATCH, KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT and the errors of the store
 */
export async function openDeadLetterTable(
  tables: TablePool,
  options: DeadLetterTableOptions,
): Promise<DeadLetterTopic> {
  const side = await openSideTable(tables, {
    ...options,
    schema: DEAD_LETTER_SCHEMA,
    partitionColumns: DEAD_LETTER_PARTITIONS,
    extraColumns: options.columns?.names ?? [],
  })
  return new DeadLetterTable(side, options)
}

class DeadLetterTable implements DeadLetterTopic {
  readonly #side: SideTable
  readonly #options: DeadLetterTableOptions
  readonly #appId: string
  /** Last seen `txn` of each partition; when it is outdated the next commit is fenced and it is read again. */
  readonly #lastTxns = new Map<number, bigint | undefined>()

  constructor(side: SideTable, options: DeadLetterTableOptions) {
    this.#side = side
    this.#options = options
    this.#appId = `${options.appId}-dlq`
  }

  async write(
    deadLetters: readonly DeadLetter[],
    ranges: readonly OffsetRange[],
  ): Promise<DeadLettersWritten> {
    let pending = withOrdinals(deadLetters)
    let written = 0
    for (let fenced = 0; ;) {
      await this.#readTxns(pending)
      pending = pending.filter(({ letter }) => letter.offset > (this.#lastTxns.get(letter.partition) ?? -1n))
      if (pending.length === 0) return { written, skipped: deadLetters.length - written }
      const cut = this.#firstCommit(pending)
      const covered = this.#covered(cut, pending, ranges)
      if ((await this.#append(cut, covered)) === 'committed') {
        for (const { partition, last } of covered) this.#lastTxns.set(partition, last)
        written += cut.length
        fenced = 0
      } else {
        if (++fenced >= FENCED_MAX) throw this.#contended(covered)
        for (const { partition } of covered) this.#lastTxns.delete(partition)
      }
    }
  }

  close(): Promise<void> {
    return this.#side.release()
  }

  async #readTxns(letters: readonly Numbered[]): Promise<void> {
    const partitions = new Set(letters.map(({ letter }) => letter.partition))
    const unknown = [...partitions].filter((partition) => !this.#lastTxns.has(partition))
    // Asked at once, so that the log is listed once.
    const lookups = unknown.map(async (partition) => {
      this.#lastTxns.set(partition, await this.#side.table.txn(appIdOf(this.#appId, partition)))
    })
    await Promise.all(lookups)
  }

  /** Returns the letters for one commit. Letters of one message stay together, because a `txn` covers whole offsets. */
  #firstCommit(letters: readonly Numbered[]): readonly Numbered[] {
    const bytesMax = this.#options.commitBytesMax ?? COMMIT_BYTES_MAX
    let bytes = 0
    for (const [index, { letter, ordinal }] of letters.entries()) {
      const { value, key, headers } = letter
      const size = (value?.length ?? 0) + (key?.length ?? 0) + headerBytesOf(headers) + ROW_BYTES_OVERHEAD
      if (index > 0 && ordinal === 0 && bytes + size > bytesMax) return letters.slice(0, index)
      bytes += size
    }
    return letters
  }

  /**
   * Returns the offsets that a commit of `cut` covers: the whole range of a partition when none of its letters
   * remain.
   */
  #covered(
    cut: readonly Numbered[],
    pending: readonly Numbered[],
    ranges: readonly OffsetRange[],
  ): readonly OffsetRange[] {
    const rest = new Set(pending.slice(cut.length).map(({ letter }) => letter.partition))
    const lasts = new Map(cut.map(({ letter }) => [letter.partition, letter] as const))
    return [...lasts].map(([partition, { topic, offset }]) => {
      const end = rest.has(partition)
        ? undefined
        : ranges.find((range) => range.partition === partition)?.last
      const last = end !== undefined && end > offset ? end : offset
      return { topic, partition, follows: this.#lastTxns.get(partition), first: offset, last }
    })
  }

  #append(cut: readonly Numbered[], covered: readonly OffsetRange[]): Promise<'committed' | 'fenced'> {
    const nowMs = (this.#options.clock ?? systemClock).now()
    const { columns } = this.#options
    const { schema } = this.#side
    const traceId = activeTraceId()
    const rows = cut.map(({ letter, ordinal }) => {
      const row = toDeadLetterRow(letter, ordinal, nowMs, traceId)
      return columns?.fill(row, letter, schema) ?? row
    })
    return this.#side.append(rows, this.#appId, covered)
  }

  #contended(covered: readonly OffsetRange[]): PipelineError {
    const partitions = covered.map(({ partition }) => String(partition))
    return new PipelineError(
      'KD_DEAD_LETTERS_FAILED',
      `another writer committed dead letters of the same partitions before each of ${FENCED_MAX} attempts`,
      { table: this.#side.table.uri, partitions },
    )
  }
}
