import type { PipelineError } from '../../../../src/core/errors.ts'
import type { GroupCallbacks, GroupEvent } from '../../../../src/kafka/group/membership.ts'
import type { OwnedPartition } from '../../../../src/kafka/group/ownership.ts'
import { keyOfPartition } from '../../../../src/kafka/group/partitions.ts'

/** Callbacks that record their calls as text. */
export class Recording implements GroupCallbacks {
  readonly heard: string[] = []
  readonly events: GroupEvent[] = []
  readonly failures: PipelineError[] = []
  /** Implementation of `onRevoke`; resolves at once if absent. */
  revoking: (partitions: readonly OwnedPartition[], signal: AbortSignal) => Promise<void> = () =>
    Promise.resolve()
  isRevoking = false
  /** Owned partitions by key, as reported to the callbacks. */
  readonly owned = new Map<string, OwnedPartition>()

  readonly onEvent = (event: GroupEvent): void => {
    this.events.push(event)
  }

  onAssign(partitions: readonly OwnedPartition[]): void {
    this.heard.push(`assign ${wordsOf(partitions)}`)
    for (const one of partitions) this.owned.set(keyOfPartition(one), one)
  }

  async onRevoke(partitions: readonly OwnedPartition[], signal: AbortSignal): Promise<void> {
    this.heard.push(`revoke ${wordsOf(partitions)}`)
    this.isRevoking = true
    await this.revoking(partitions, signal).finally(() => (this.isRevoking = false))
    if (signal.aborted) return
    this.#forget(partitions)
  }

  onLost(partitions: readonly OwnedPartition[]): void {
    this.heard.push(`lost ${wordsOf(partitions)}`)
    this.#forget(partitions)
  }

  onFailure(error: PipelineError): void {
    this.heard.push(`failed ${error.code}`)
    this.failures.push(error)
  }

  /** Calls since the last call of this method. */
  news(): string[] {
    return this.heard.splice(0)
  }

  #forget(partitions: readonly OwnedPartition[]): void {
    for (const one of partitions) {
      if (this.owned.get(keyOfPartition(one))?.epoch === one.epoch) this.owned.delete(keyOfPartition(one))
    }
  }
}

/** Partitions as text, separated by spaces. */
export function wordsOf(partitions: readonly OwnedPartition[]): string {
  return partitions.map(keyOfPartition).join(' ')
}
