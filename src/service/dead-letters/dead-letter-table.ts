import { appIdOf } from '../../../operators/commit-delta.ts'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import { systemClock } from '../../core/clock.ts'
import { numbered } from '../../core/dead-letter.ts'
import { PipelineError } from '../../core/errors.ts'
import { activeTraceId } from '../../core/stage/span.ts'
import type { WriterOptions } from '../../delta/commit/log-writer.ts'
import { DEAD_LETTER_PARTITIONS, DEAD_LETTER_SCHEMA, rowOf } from '../../dead-letters/row.ts'
import type { RetryPatience } from '../../resilience/retries.ts'
import type { DeadLettersWritten, DeadLetterTopic } from '../../kafka/dead-letters/dead-letters.ts'
import type { DeadLetterColumns } from './dead-letter-columns.ts'
import { openSideTable, type SideTable } from '../table/side-table.ts'
import type { Tables } from '../table/table-pool.ts'

/** Where dead letters go as rows. */
export interface DeadLetterTableOptions extends WriterOptions {
  readonly uri: string
  /** That of the topic: the `txn` of partition 3 has the appId `<appId>-dlq-3`. */
  readonly appId: string
  /** Whether columns that an existing table lacks are added; otherwise they are left out. */
  readonly evolves: boolean
  /** How hard its store tries. */
  readonly patience?: RetryPatience
  /** Columns that expressions make. */
  readonly columns?: DeadLetterColumns
  /** Of letters that one commit carries, about; default 16 MiB. Bounds what is held in two forms. */
  readonly commitBytesMax?: number
}

const COMMIT_BYTES_MAX = 16 * 1024 * 1024
/** What a row takes beside key and value. */
const ROW_BYTES_OVERHEAD = 512
/** Times on end that somebody else wrote letters of our partitions. */
const FENCED_MAX = 20

type Numbered = ReturnType<typeof numbered>[number]

/**
 * A Delta table that holds each dead letter exactly once, also when the process dies between here and the commit of the
 * rows. A commit carries a `txn` for each source partition: the last offset that it covers. Letters at or below it were
 * written before and are skipped; a commit that does not follow on from it, of a member that lost the partition, is
 * refused by the table. Opened with the topic, and created where it is absent.
 * @throws KD_SCHEMA_MISMATCH, KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT, and what a store throws
 */
export async function openDeadLetterTable(
  tables: Tables,
  options: DeadLetterTableOptions,
): Promise<DeadLetterTopic> {
  const side = await openSideTable(tables, {
    ...options,
    schema: DEAD_LETTER_SCHEMA,
    partitionColumns: DEAD_LETTER_PARTITIONS,
    others: options.columns?.names ?? [],
  })
  return new DeadLetterTable(side, options)
}

class DeadLetterTable implements DeadLetterTopic {
  readonly #side: SideTable
  readonly #options: DeadLetterTableOptions
  readonly #appId: string
  /** The table's `txn` of each partition as last seen: what has changed since is told by a commit that is refused. */
  readonly #reached = new Map<number, bigint | undefined>()

  constructor(side: SideTable, options: DeadLetterTableOptions) {
    this.#side = side
    this.#options = options
    this.#appId = `${options.appId}-dlq`
  }

  async write(
    deadLetters: readonly DeadLetter[],
    ranges: readonly OffsetRange[],
  ): Promise<DeadLettersWritten> {
    let pending = numbered(deadLetters)
    let written = 0
    for (let fenced = 0; ;) {
      await this.#learn(pending)
      pending = pending.filter(({ letter }) => letter.offset > (this.#reached.get(letter.partition) ?? -1n))
      if (pending.length === 0) return { written, skipped: deadLetters.length - written }
      const cut = this.#cutOf(pending)
      const covered = this.#covered(cut, pending, ranges)
      if ((await this.#append(cut, covered)) === 'committed') {
        for (const { partition, last } of covered) this.#reached.set(partition, last)
        written += cut.length
        fenced = 0
      } else {
        if (++fenced >= FENCED_MAX) throw this.#contended(covered)
        for (const { partition } of covered) this.#reached.delete(partition)
      }
    }
  }

  close(): Promise<void> {
    return this.#side.release()
  }

  async #learn(letters: readonly Numbered[]): Promise<void> {
    for (const { letter } of letters) {
      const { partition } = letter
      if (this.#reached.has(partition)) continue
      this.#reached.set(partition, await this.#side.table.txn(appIdOf(this.#appId, partition)))
    }
  }

  /** The first letters as far as one commit goes, never some of one message alone: `txn`s pass offsets as a whole. */
  #cutOf(letters: readonly Numbered[]): readonly Numbered[] {
    const bytesMax = this.#options.commitBytesMax ?? COMMIT_BYTES_MAX
    let bytes = 0
    for (const [index, { letter, ordinal }] of letters.entries()) {
      const size = (letter.value?.length ?? 0) + (letter.key?.length ?? 0) + ROW_BYTES_OVERHEAD
      if (index > 0 && ordinal === 0 && bytes + size > bytesMax) return letters.slice(0, index)
      bytes += size
    }
    return letters
  }

  /** What a commit of `cut` covers: a partition's whole range where none of its letters is left. */
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
      return { topic, partition, follows: this.#reached.get(partition), first: offset, last }
    })
  }

  #append(cut: readonly Numbered[], covered: readonly OffsetRange[]): Promise<'committed' | 'fenced'> {
    const nowMs = (this.#options.clock ?? systemClock).now()
    const { columns } = this.#options
    const { schema } = this.#side
    const traceId = activeTraceId()
    const rows = cut.map(({ letter, ordinal }) => {
      const row = rowOf(letter, ordinal, nowMs, traceId)
      return columns?.fill(row, letter, schema) ?? row
    })
    return this.#side.append(rows, this.#appId, covered)
  }

  #contended(covered: readonly OffsetRange[]): PipelineError {
    const partitions = covered.map(({ partition }) => String(partition))
    return new PipelineError(
      'KD_DEAD_LETTERS_FAILED',
      `somebody else wrote dead letters of the same partitions ${FENCED_MAX} times on end`,
      { table: this.#side.table.uri, partitions },
    )
  }
}
