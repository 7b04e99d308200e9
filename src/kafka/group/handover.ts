import type { Clock } from '../../core/clock.ts'
import type { GroupCallbacks, GroupEvent } from './membership.ts'
import { Ownership, type OwnedPartition } from './ownership.ts'
import type { TopicPartition } from './partitions.ts'

/** Names the outcome of a revocation. */
export type RevocationOutcome = 'revoked' | 'late' | 'lost'

/** Assigns and revokes partitions of this member through its callbacks, one call at a time. */
export class Handover {
  readonly ownership = new Ownership()
  readonly #callbacks: GroupCallbacks
  readonly #clock: Clock
  readonly #emit: (event: GroupEvent) => void
  /** Aborts the signal of the revocation in progress. */
  #revoking: AbortController | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(callbacks: GroupCallbacks, clock: Clock, emit: (event: GroupEvent) => void) {
    this.#callbacks = callbacks
    this.#clock = clock
    this.#emit = emit
  }

  /** Takes ownership of free partitions. */
  assign(partitions: readonly TopicPartition[]): void {
    if (partitions.length === 0) return
    const taken = this.ownership.take(partitions)
    this.#emit({ kind: 'assigned', partitions: taken })
    this.#callbacks.onAssign(taken)
  }

  /**
   * Revokes partitions: calls `onRevoke` and waits at most `msMax` milliseconds. After that time they are lost,
   * because the coordinator then assigns them to other members. If `onRevoke` rejects, the partitions are lost too,
   * and the rejection is rethrown.
   */
  revoke(partitions: readonly OwnedPartition[], msMax: number): Promise<RevocationOutcome> {
    const end = this.#revoke(partitions, msMax)
    this.#last = end.catch(() => undefined)
    return end
  }

  /** Resolves when no revocation is in progress. */
  async idle(): Promise<void> {
    await this.#last
  }

  async #revoke(partitions: readonly OwnedPartition[], msMax: number): Promise<RevocationOutcome> {
    if (partitions.length === 0) return 'revoked'
    const revoking = new AbortController()
    const over = new AbortController()
    this.#revoking = revoking
    const startMs = this.#clock.now()
    const lost = new Promise<'lost'>((resolve) => {
      revoking.signal.addEventListener('abort', () => resolve('lost'), { once: true })
    })
    const late = this.#clock.sleep(msMax, over.signal).then(
      () => 'late' as const,
      () => 'revoked' as const,
    )
    try {
      const done = this.#callbacks.onRevoke(partitions, revoking.signal).then(() => 'revoked' as const)
      const end = await Promise.race([done, lost, late])
      if (end === 'late') this.#lose(partitions, `the handover took longer than ${msMax} ms`)
      if (end === 'revoked') {
        this.ownership.drop(partitions)
        this.#emit({ kind: 'revoked', partitions, tookMs: this.#clock.now() - startMs })
      }
      return end
    } catch (error) {
      this.#lose(partitions, 'the handover failed')
      throw error
    } finally {
      over.abort()
      this.#revoking = undefined
    }
  }

  /** Drops all partitions immediately, including those being revoked: other members may already own them. */
  loseAll(reason: string): void {
    this.#lose(this.ownership.all(), reason)
  }

  #lose(partitions: readonly OwnedPartition[], reason: string): void {
    const owned = partitions.filter((partition) => this.ownership.owns(partition))
    this.ownership.drop(owned)
    if (owned.length > 0) {
      this.#emit({ kind: 'lost', partitions: owned, reason })
      this.#callbacks.onLost(owned)
    }
    this.#revoking?.abort(new Error(reason))
  }
}
