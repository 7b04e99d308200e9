import type { StructType } from '../../core/schema.ts'
import type { Add, Metadata, MetadataAction, Protocol, Txn } from '../protocol/actions.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** Holds what the commit of a flush adds to a table. */
export interface Append {
  /** Base snapshot that the files were made for; the one that the writer opened if absent. */
  readonly baseSnapshot?: TableShape
  /** New metadata or protocol that the files need, committed in the same version. */
  readonly change?: { readonly metadata?: MetadataAction; readonly protocol?: Protocol }
  readonly adds: readonly Add[]
  /**
   * One per Kafka partition of the flush; `follows` is the version that the table must hold for the appId now. With
   * `isConstant` the table may also hold `version` already, because writers of the same topic write the same value.
   */
  readonly txns: readonly (Txn & { readonly follows: bigint | undefined; readonly isConstant?: true })[]
  /**
   * Become `commitInfo.operationParameters` and `operationMetrics`, with values as text like the examples of the
   * specification.
   */
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>>
}

/** Describes how a commit ended. Expected outcomes are values, not errors. */
export type CommitOutcome =
  | {
      readonly kind: 'committed'
      readonly version: bigint
      /** Number of puts; 1 if the first succeeded. */
      readonly attempts: number
      /** Number of versions that other writers took first. */
      readonly conflicts: number
      /** Number of puts with an unknown outcome, which was settled by reading the log. */
      readonly ambiguous: number
    }
  /** The table has changed since the files were made. Nothing was written; `shape` of the writer is the new table. */
  | { readonly kind: 'changed'; readonly attempts: number; readonly conflicts: number }
  /** Fenced: another writer has committed offsets of the flush. Nothing was written. */
  | {
      readonly kind: 'fenced'
      readonly appIds: readonly string[]
      readonly attempts: number
      readonly conflicts: number
    }

/**
 * Appends to one table on behalf of a process, one commit at a time. Appends that wait during a commit share the next
 * one.
 */
export interface TableWriter {
  readonly uri: string
  /**
   * Table at the newest version known to the writer.
   * @throws KD_TABLE_UNSUPPORTED once the table can no longer be appended to
   */
  readonly shape: TableShape
  /** Metadata of `shape`. */
  readonly metadata: Metadata
  /** Protocol of `shape`. */
  readonly protocol: Protocol
  /** Schema of `shape`. */
  readonly schema: StructType
  /** Version of the newest commit known to the writer. */
  readonly version: bigint
  /**
   * True once the table was deleted or replaced: every further call throws `KD_TABLE_REPLACED`, and the table has to be
   * opened again.
   */
  readonly isReplaced: boolean
  /**
   * Reads the newest commits and returns the last `txn` version of `appId`, or `undefined` if the table holds none. Calls
   * that wait are answered from one listing of the log, also those of `txns` and `findFenced`.
   */
  txn(appId: string): Promise<bigint | undefined>
  /** Returns the last `txn` version of `appId` at `version`, without a request; `undefined` if the table holds none there. */
  knownTxn(appId: string): bigint | undefined
  /** Reads the newest commits and returns the last `txn` of every appId. */
  txns(): Promise<ReadonlyMap<string, Txn>>
  /** Returns the appIds of `txns` whose `follows` differs from the newest log; writes nothing. */
  findFenced(txns: Append['txns']): Promise<readonly string[]>
  /**
   * Commits the append in one version, which other appends may share. Calls are carried out in order. Throws store
   * errors.
   * @throws KD_COMMIT_CONTENDED if all attempts lost
   * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
   */
  append(append: Append): Promise<CommitOutcome>
  /** Resolves when no append, checkpoint or checksum is in progress. */
  idle(): Promise<void>
}
