import type { Clock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import type { Cluster } from '../wire/cluster.ts'
import type { Assignor } from './assignors/assignor.ts'
import type { OffsetCommitResult, OffsetToCommit, CommittedOffset } from './offsets.ts'
import type { OwnedPartition } from './ownership.ts'
import type { TopicPartition } from './partitions.ts'
import type { CoordinatorEvent } from './coordinator-client.ts'
import type { GroupState } from './states.ts'

/**
 * Receives the changes of this member's partitions. Calls do not overlap, except that `onLost` is called immediately,
 * even while `onRevoke` is pending.
 */
export interface GroupCallbacks {
  /** Called with newly assigned partitions. Must return quickly; start slow work in the background. */
  onAssign(partitions: readonly OwnedPartition[]): void
  /**
   * Called with partitions that move to other members; commits or discards their buffered records and resolves when no
   * later work concerns them. The member owns them until then, so it may commit offsets. `signal` aborts when the time
   * is over or the partitions are lost; `onLost` has been called then. A rejection ends the membership.
   */
  onRevoke(partitions: readonly OwnedPartition[], signal: AbortSignal): Promise<void>
  /** Called with partitions that may already have other owners: nothing of them may be committed. */
  onLost(partitions: readonly OwnedPartition[]): void
  /** Called once, after `onLost`, if the membership ends with an error. */
  onFailure(error: PipelineError): void
}

/** Configures the membership of a consumer in a group. */
export interface GroupOptions {
  readonly cluster: Pick<Cluster, 'metadata' | 'broker' | 'coordinator'>
  readonly groupId: string
  /** Topics to subscribe to, at least one. Other members may subscribe to other topics. */
  readonly topics: readonly string[]
  readonly callbacks: GroupCallbacks
  /** Group protocol: `classic` by default; `consumer` (KIP-848) needs brokers of version 4.0 or newer. */
  readonly protocol?: 'classic' | 'consumer' | undefined
  /**
   * Makes this a static member (KIP-345), which keeps its partitions over restarts shorter than the session timeout.
   */
  readonly groupInstanceId?: string | undefined
  readonly rackId?: string | undefined
  /**
   * Time without heartbeats after which the coordinator removes the member, in milliseconds; 30,000 by default.
   * Classic protocol only.
   */
  readonly sessionTimeoutMs?: number | undefined
  /** Maximum time for handing over partitions, in milliseconds; 60,000 by default. */
  readonly rebalanceTimeoutMs?: number | undefined
  /** Interval of heartbeats in milliseconds; 3,000 by default. With `consumer` the coordinator determines it. */
  readonly heartbeatMs?: number | undefined
  /** Assignment protocols of the classic protocol in order of preference; `ASSIGNORS` by default. */
  readonly assignors?: readonly Assignor[] | undefined
  /** Assignor of the coordinator with `consumer`, such as `uniform`; the coordinator's default if absent. */
  readonly serverAssignor?: string | undefined
  /** Interval in milliseconds at which a leader checks for new or deleted topics and partitions; 30,000 by default. */
  readonly watchMs?: number | undefined
  readonly onEvent?: ((event: GroupEvent) => void) | undefined
  readonly clock?: Clock | undefined
  /** Random number in [0, 1), for jitter. */
  readonly random?: (() => number) | undefined
  /** Creates member ids with `consumer`; random UUIDs by default. */
  readonly newMemberId?: (() => string) | undefined
}

/** Describes an event of a membership, for logs and metrics. */
export type GroupEvent =
  | CoordinatorEvent
  | { readonly kind: 'rebalancing'; readonly reason: string }
  | {
      readonly kind: 'joined'
      readonly memberId: string
      /** Generation, or member epoch with `consumer`. */
      readonly generation: number
      /** Assignment protocol that the group uses; absent with `consumer`. */
      readonly assignor?: string
      readonly isLeader: boolean
    }
  | { readonly kind: 'assigned'; readonly partitions: readonly OwnedPartition[] }
  /** The member is stable: revoked partitions are handed over, and all assigned ones are taken, which may be none. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'revoked'; readonly partitions: readonly OwnedPartition[]; readonly tookMs: number }
  | { readonly kind: 'lost'; readonly partitions: readonly OwnedPartition[]; readonly reason: string }
  /** The subscription of another member could not be decoded; that member gets no partitions. */
  | { readonly kind: 'unreadable'; readonly memberId: string; readonly reason: string }
  | { readonly kind: 'left' }

/** Describes the state of a membership. */
export interface GroupStatus {
  readonly state: GroupState
  /** Time of the transition to this state, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly protocol: 'classic' | 'consumer'
  /** Empty until the coordinator assigns one. */
  readonly memberId: string
  /** Generation, or member epoch with `consumer`; -1 while it is not a member. */
  readonly generation: number
  readonly assignor: string | undefined
  readonly isLeader: boolean
  /** Node id of the coordinator; `undefined` until it is known. */
  readonly coordinator: number | undefined
  /** Time of the last heartbeat that the coordinator accepted, in milliseconds since the epoch. */
  readonly heartbeatMs: number | undefined
  /** Number of owned partitions. */
  readonly partitions: number
}

/** Represents the membership of one consumer in a group. */
export interface GroupMembership {
  status(): GroupStatus
  /** Returns the owned partitions, ordered by topic and partition. */
  owned(): readonly OwnedPartition[]
  /** Returns whether the partition has been owned without interruption since its epoch. */
  owns(partition: OwnedPartition): boolean
  /**
   * Commits offsets to the group. Skips partitions that are no longer owned.
   * @throws KD_SOURCE_FAILED, retryable, if the coordinator does not accept the request within five seconds
   */
  commit(offsets: readonly OffsetToCommit[]): Promise<OffsetCommitResult>
  /**
   * Reads the committed offsets of the group; the result omits partitions without one.
   * @throws KD_SOURCE_FAILED, retryable, if the coordinator does not respond within 30 seconds
   */
  committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>
  /**
   * Hands over all partitions with `onRevoke` and leaves the group. A static member stays in the group for its restart
   * unless `forGood` is set. Never throws; repeated calls return the same promise.
   */
  stop(options?: { readonly forGood?: boolean }): Promise<void>
}
