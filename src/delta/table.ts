import type { StructType } from '../core/schema.ts'
import type { Add, Metadata, Protocol, Txn } from './actions.ts'

/** What a commit of a flush carries. */
export interface Append {
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
  /** A `txn` of ours is not what the flush continues from: somebody else carried those offsets. Nothing was written. */
  | {
      readonly kind: 'fenced'
      readonly appIds: readonly string[]
      readonly attempts: number
      readonly conflicts: number
    }

/** The table as a streaming writer sees it: one per pipeline, one commit at a time. */
export interface TableWriter {
  readonly uri: string
  readonly metadata: Metadata
  readonly protocol: Protocol
  readonly schema: StructType
  /** Version of the newest commit that the writer knows. */
  readonly version: bigint
  /** Reads the log's tail, then the last version of `appId`; `undefined` when the table holds none. */
  txn(appId: string): Promise<bigint | undefined>
  /** Checks `txns` against the newest log without writing: the appIds whose `follows` is not what the table holds. */
  stale(txns: Append['txns']): Promise<readonly string[]>
  /** Appends in one version. Calls are carried out in their order. Throws `KD_COMMIT_CONFLICT` when a winner changed metadata or protocol. */
  append(append: Append): Promise<CommitOutcome>
}
