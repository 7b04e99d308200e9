import { appIdOf } from '../../../operators/commit-delta.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { readRowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import type { TableWriterOptions } from '../../delta/commit/log-writer.ts'
import { ReplayLedger, REPLAY_LEDGER_SCHEMA } from '../../stored-letters/ledger.ts'
import type { LetterPosition } from '../../stored-letters/stored.ts'
import { parseExact } from '../../formats/json/exact.ts'
import { openSideTable, type SideTable } from '../table/side-table.ts'
import type { TablePool } from '../table/table-pool.ts'

/** Attempts before giving up because other writers keep appending to the ledger first. */
const FENCED_MAX = 50

/** Returns the application id whose `txn` in the main table is the number of the newest committed replay. */
export function replayAppIdOf(appId: string): string {
  return `${appId}-replay`
}

/** Describes where the replay ledger of a stream is. */
interface ReplayLedgerOptions extends TableWriterOptions {
  readonly uri: string
  /** Application id of the stream. */
  readonly appId: string
}

/** Appends to the replay ledger of one stream. */
export interface ReplayLedgerTable {
  /**
   * Appends a replay intent or a discard and resolves to its batch number, which is larger than every earlier one.
   * @throws KD_COMMIT_CONTENDED when other writers come first too many times
   */
  append(
    action: 'replay' | 'discard',
    follows: bigint | undefined,
    positions: readonly LetterPosition[],
  ): Promise<bigint>
  release(): Promise<void>
}

/**
 * Opens the ledger table, or creates it when it does not exist.
 * @throws the errors of `openSideTable`
 */
export async function openReplayLedger(
  tables: TablePool,
  options: ReplayLedgerOptions,
): Promise<ReplayLedgerTable> {
  const side = await openSideTable(tables, {
    ...options,
    schema: REPLAY_LEDGER_SCHEMA,
    partitionColumns: [],
    evolves: false,
  })
  return new SideTableLedger(side, options)
}

class SideTableLedger implements ReplayLedgerTable {
  readonly #side: SideTable
  readonly #options: ReplayLedgerOptions
  readonly #clock: Clock

  constructor(side: SideTable, options: ReplayLedgerOptions) {
    this.#side = side
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  async append(
    action: 'replay' | 'discard',
    follows: bigint | undefined,
    positions: readonly LetterPosition[],
  ): Promise<bigint> {
    const { appId } = this.#options
    const name = `${appId}-marks`
    for (let fenced = 0; fenced < FENCED_MAX; fenced++) {
      const before = await this.#side.table.txn(appIdOf(name, 0))
      const batch = (before ?? 0n) + 1n
      const at = new Date(this.#clock.now()).toISOString()
      const rows = positions.map((position) => ({
        ...position,
        app_id: appId,
        batch,
        action,
        follows: follows ?? null,
        at,
      }))
      const range = { topic: name, partition: 0, follows: before, first: batch, last: batch }
      if ((await this.#side.append(rows, name, [range])) === 'committed') return batch
    }
    throw new PipelineError(
      'KD_COMMIT_CONTENDED',
      `other writers appended to the replay ledger before each of ${FENCED_MAX} attempts`,
      {
        table: this.#side.table.uri,
      },
    )
  }

  release(): Promise<void> {
    return this.#side.release()
  }
}

/**
 * Reads the ledger of a stream. `newest` is the newest replay that the main table holds, and must be read before.
 * Returns an empty ledger when there is no ledger table.
 * @throws KD_COMMAND_INVALID when the ledger lacks a replay that the main table holds, and the errors of reading a
 * table
 */
export async function readReplayLedger(
  tables: TablePool,
  { uri, appId }: Pick<ReplayLedgerOptions, 'uri' | 'appId'>,
  newest: bigint | undefined,
): Promise<ReplayLedger> {
  const ledger = new ReplayLedger()
  const lease = await tables.lease(uri)
  try {
    if ((await lease.openExisting({})) !== undefined) {
      for await (const line of readRowLines(lease.store, await loadSnapshot(lease.store))) {
        const row = parseExact(line) as Readonly<Record<string, unknown>>
        if (row['app_id'] !== appId) continue
        const { batch, action, follows, topic, partition, offset, ordinal } = row
        ledger.add({
          batch: BigInt(batch as number | bigint),
          action: String(action),
          follows: follows === null ? undefined : BigInt(follows as number | bigint),
          position: {
            topic: String(topic),
            partition: Number(partition),
            offset: BigInt(offset as number | bigint),
            ordinal: Number(ordinal),
          },
        })
      }
    }
  } finally {
    await lease.release()
  }
  ledger.resolveReplays(newest, uri)
  return ledger
}

/**
 * Returns the number of the newest replay that the main table holds, or `undefined` when it holds none or does not
 * exist.
 */
export async function readNewestReplay(
  tables: TablePool,
  uri: string,
  appId: string,
): Promise<bigint | undefined> {
  const lease = await tables.lease(uri)
  try {
    const table = await lease.openExisting({})
    return await table?.txn(appIdOf(replayAppIdOf(appId), 0))
  } finally {
    await lease.release()
  }
}
