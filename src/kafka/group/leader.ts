import { messageOf } from '../../core/errors.ts'
import type { ResponseBody } from '../wire/apis.ts'
import type { ClusterMetadata } from '../wire/cluster.ts'
import type { Assignor, SubscribedMember } from './assignors/assignor.ts'
import type { GroupEvent, GroupOptions } from './membership.ts'
import { decodeSubscription, encodeAssignment } from './subscription.ts'

/** Describes the members of a group as JoinGroup reports them to the leader. */
type JoinGroupMembers = ResponseBody<'JoinGroup'>['members']

/** Describes the assignments that a leader sends with SyncGroup. */
export type SyncGroupAssignments = readonly { readonly memberId: string; readonly assignment: Uint8Array }[]

/** Computes the assignments of a classic group that this member leads, and detects changes of its topics. */
export class GroupLeader {
  readonly #cluster: Pick<GroupOptions['cluster'], 'metadata'>
  readonly #emit: (event: GroupEvent) => void
  /** Partition count of each topic at the last assignment; 0 for a missing topic. */
  #counts: ReadonlyMap<string, number> | undefined

  constructor(cluster: Pick<GroupOptions['cluster'], 'metadata'>, emit: (event: GroupEvent) => void) {
    this.#cluster = cluster
    this.#emit = emit
  }

  /**
   * Assigns the partitions of all topics of the group; ignores missing topics. Rethrows errors of the metadata request.
   */
  async plan(assignor: Assignor, members: JoinGroupMembers): Promise<SyncGroupAssignments> {
    const subscribed = members.map((member) => this.#subscribed(member))
    await this.countPartitions(subscribed)
    const known = new Map([...(this.#counts ?? [])].filter(([, count]) => count > 0))
    return [...assignor.assign(subscribed, known)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions),
    }))
  }

  /** Notes the topics of a group whose assignment stays valid after a restart of its static leader (KIP-814). */
  async adoptAssignment(members: JoinGroupMembers): Promise<void> {
    await this.countPartitions(members.map((member) => this.#subscribed(member)))
  }

  /** Stops leading the group. */
  resign(): void {
    this.#counts = undefined
  }

  /** Describes a change of the group's topics since the last assignment; returns `undefined` if there is none. */
  async findChange(): Promise<string | undefined> {
    const before = this.#counts
    if (before === undefined) return undefined
    const now = await this.#count([...before.keys()])
    // A new assignment may have been made meanwhile.
    if (this.#counts !== before) return undefined
    const changed = [...now].find(([topic, count]) => count !== before.get(topic))
    if (changed === undefined) return undefined
    const [topic, count] = changed
    return `topic ${topic} has ${count} partitions instead of ${before.get(topic) ?? 0}`
  }

  private async countPartitions(members: readonly SubscribedMember[]): Promise<void> {
    this.#counts = await this.#count([...new Set(members.flatMap(({ topics }) => topics))].sort())
  }

  async #count(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const metadata: ClusterMetadata = await this.#cluster.metadata(topics, { refresh: true })
    return new Map(topics.map((topic) => [topic, metadata.topics.get(topic)?.partitions.length ?? 0]))
  }

  #subscribed({ memberId, groupInstanceId, metadata }: JoinGroupMembers[number]): SubscribedMember {
    try {
      const { topics, owned, ownedGeneration } = decodeSubscription(metadata)
      return { memberId, instanceId: groupInstanceId, topics, owned, ownedGeneration }
    } catch (error) {
      this.#emit({ kind: 'unreadable', memberId, reason: messageOf(error) })
      return { memberId, instanceId: groupInstanceId, topics: [], owned: [], ownedGeneration: -1 }
    }
  }
}
