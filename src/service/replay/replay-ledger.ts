import { appIdOf } from '../../../operators/commit-delta.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { rowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import type { WriterOptions } from '../../delta/commit/log-writer.ts'
import { Marks, MARKS_SCHEMA } from '../../dead-letters/marks.ts'
import type { Place } from '../../dead-letters/stored.ts'
import { parseExact } from '../../formats/json/exact.ts'
import { openSideTable, type SideTable } from '../table/side-table.ts'
import type { Tables } from '../table/table-pool.ts'

/** Times on end that somebody else wrote marks first. */
const FENCED_MAX = 50

/** The replay of which the newest landed is the version of this `txn` in the main table. */
export function replayAppId(appId: string): string {
  return `${appId}-replay`
}

/** Whose marks, and where they are. */
export interface MarksOptions extends WriterOptions {
  readonly uri: string
  /** That of the stream. */
  readonly appId: string
}

/** The table of marks of one stream, to be written. */
export interface MarksTable {
  /**
   * Notes an intent or a discard; resolves to its number, which is larger than that of every batch before it.
   * @throws KD_COMMIT_CONTENDED
   */
  note(action: 'replay' | 'discard', follows: bigint | undefined, places: readonly Place[]): Promise<bigint>
  release(): Promise<void>
}

/** Opens the table of marks, or creates it where it is absent. Throws what `openSideTable` throws. */
export async function openMarks(tables: Tables, options: MarksOptions): Promise<MarksTable> {
  const side = await openSideTable(tables, {
    ...options,
    schema: MARKS_SCHEMA,
    partitionColumns: [],
    evolves: false,
  })
  return new SideMarks(side, options)
}

class SideMarks implements MarksTable {
  readonly #side: SideTable
  readonly #options: MarksOptions
  readonly #clock: Clock

  constructor(side: SideTable, options: MarksOptions) {
    this.#side = side
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  async note(
    action: 'replay' | 'discard',
    follows: bigint | undefined,
    places: readonly Place[],
  ): Promise<bigint> {
    const { appId } = this.#options
    const name = `${appId}-marks`
    for (let fenced = 0; fenced < FENCED_MAX; fenced++) {
      const before = await this.#side.table.txn(appIdOf(name, 0))
      const batch = (before ?? 0n) + 1n
      const at = new Date(this.#clock.now()).toISOString()
      const rows = places.map((place) => ({
        ...place,
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
      `somebody else wrote marks first ${FENCED_MAX} times on end`,
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
 * What the marks of a stream say, given the newest replay that the main table holds; ask the main table first. Nothing is
 * marked where there is no table of marks.
 * @throws KD_COMMAND_INVALID, and what reading a table throws
 */
export async function readMarks(
  tables: Tables,
  { uri, appId }: Pick<MarksOptions, 'uri' | 'appId'>,
  newest: bigint | undefined,
): Promise<Marks> {
  const marks = new Marks()
  const lease = await tables.lease(uri)
  try {
    if ((await lease.existing({})) !== undefined) {
      for await (const line of rowLines(lease.store, await loadSnapshot(lease.store))) {
        const row = parseExact(line) as Readonly<Record<string, unknown>>
        if (row['app_id'] !== appId) continue
        const { batch, action, follows, topic, partition, offset, ordinal } = row
        marks.add({
          batch: BigInt(batch as number | bigint),
          action: String(action),
          follows: follows === null ? undefined : BigInt(follows as number | bigint),
          place: {
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
  marks.settle(newest, uri)
  return marks
}

/** The newest replay that a main table holds; `undefined` where it holds none, or is not there. */
export async function newestReplay(tables: Tables, uri: string, appId: string): Promise<bigint | undefined> {
  const lease = await tables.lease(uri)
  try {
    const table = await lease.existing({})
    return await table?.txn(appIdOf(replayAppId(appId), 0))
  } finally {
    await lease.release()
  }
}
