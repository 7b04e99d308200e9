import type { StructType } from '../../core/schema.ts'
import type { Add, Metadata, MetadataAction, Protocol, Txn } from '../protocol/actions.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** What a commit of a flush carries. */
export interface Append {
  /** The table that the files were made for; the one that the writer opened where absent. */
  readonly basis?: TableShape
  /** New metadata or protocol that the files need; becomes part of the same version. */
  readonly change?: { readonly metadata?: MetadataAction; readonly protocol?: Protocol }
  readonly adds: readonly Add[]
  /** One for every Kafka partition in the flush; `follows` is the version that the table must hold for it now. */
  readonly txns: readonly (Txn & { readonly follows: bigint | undefined })[]
  /** Become `commitInfo.operationParameters` and `operationMetrics`, values as text as the specification's examples have them. */
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>>
}

/** How a commit ended; an expected outcome is a value, not an error. */
export type CommitOutcome =
  | {
      readonly kind: 'committed'
      readonly version: bigint
      /** Puts tried, 1 when the first won. */
      readonly attempts: number
      /** Versions that other writers took first. */
      readonly conflicts: number
      /** Puts whose outcome had to be settled by reading. */
      readonly ambiguous: number
    }
  /** The table is no longer the one that the files were made for. Nothing was written; the writer's `shape` is the new one. */
  | { readonly kind: 'changed'; readonly attempts: number; readonly conflicts: number }
  /** A `txn` of ours is not what the flush continues from: somebody else carried those offsets. Nothing was written. */
  | {
      readonly kind: 'fenced'
      readonly appIds: readonly string[]
      readonly attempts: number
      readonly conflicts: number
    }

/**
 * The table as a streaming writer sees it: one for each table and process, one commit at a time. Appends that wait while
 * a commit is on its way share the next one.
 */
export interface TableWriter {
  readonly uri: string
  /** The table in the newest version that the writer knows. Throws `KD_TABLE_UNSUPPORTED` once it is one that cannot be appended to rightly. */
  readonly shape: TableShape
  /** Of `shape`. */
  readonly metadata: Metadata
  /** Of `shape`. */
  readonly protocol: Protocol
  /** Of `shape`. */
  readonly schema: StructType
  /** Version of the newest commit that the writer knows. */
  readonly version: bigint
  /** Reads the log's tail, then the last version of `appId`; `undefined` when the table holds none. */
  txn(appId: string): Promise<bigint | undefined>
  /** Checks `txns` against the newest log without writing: the appIds whose `follows` is not what the table holds. */
  stale(txns: Append['txns']): Promise<readonly string[]>
  /** Appends in one version, which other appends may share. Calls are carried out in their order. Throws `KD_COMMIT_CONTENDED` and what a store throws. */
  append(append: Append): Promise<CommitOutcome>
  /** Resolves once nothing is on its way any more: appends, and the checkpoint that a commit made due. */
  idle(): Promise<void>
}
