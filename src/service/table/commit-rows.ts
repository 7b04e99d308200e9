import { lastValueFrom, of } from 'rxjs'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import { commitDelta } from '../../../operators/commit-delta.ts'
import { toArrow } from '../../../operators/to-arrow.ts'
import {
  layOutForSnapshot,
  writeParquet,
  type DataFiles,
  type FileTarget,
} from '../../../operators/write-parquet.ts'
import type { Flush } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'

/** Describes the table to which rows are committed. */
export interface RowsCommit {
  readonly table: TableWriter
  /** Prefix of the `txn` appIds, as for `commitDelta`. */
  readonly appId: string
  /** The table for which the files were made. */
  readonly files: FileTarget
  readonly clock: Clock
}

/** Describes how the commit of rows ended. Unless they were committed, nothing was written, and their files are deleted. */
export type RowsCommitOutcome =
  | { readonly kind: 'committed'; readonly version: bigint }
  /** Another writer has committed offsets of the rows. */
  | { readonly kind: 'fenced' }
  /** The rows no longer fit the table. */
  | { readonly kind: 'unfit'; readonly reason: string }

/**
 * Writes the rows of one flush to files, which readers do not see yet.
 * @throws the errors of `toArrow` and `writeParquet`
 */
export function writeRowFiles(flush: Flush<readonly Chunk[]>, files: FileTarget): Promise<Flush<DataFiles>> {
  return lastValueFrom(of(flush).pipe(toArrow(files.arrow), writeParquet(files.parquet)))
}

/**
 * Commits the files of one flush that has no dead letters.
 * @throws the errors of `commitDelta`
 */
export async function commitRowFiles(
  flush: Flush<DataFiles>,
  { table, appId, files, clock }: RowsCommit,
): Promise<RowsCommitOutcome> {
  let dropped: RowsCommitOutcome = { kind: 'fenced' }
  const committed = await lastValueFrom(
    of(flush).pipe(
      commitDelta({
        table,
        appId,
        clock,
        deadLetters: { write: () => Promise.resolve() },
        layOutForSnapshot: (made) => layOutForSnapshot(made, files),
        async handleFenced({ payload }, _, reason) {
          if (reason !== undefined) dropped = { kind: 'unfit', reason }
          await payload.discard()
        },
      }),
    ),
    { defaultValue: undefined },
  )
  return committed === undefined ? dropped : { kind: 'committed', version: committed.payload.version }
}
