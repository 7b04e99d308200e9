import type { Circuit } from '../../core/circuit.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { isUnreachable } from '../../kafka/client/faults.ts'
import type { SourceEvent } from '../../kafka/source/source-options.ts'

const REASON_CHARACTERS_MAX = 300

/**
 * Tracks the connection to the brokers in the form of a circuit. It opens once every topic heard from so far has lost
 * its connection, and closes once any topic reaches a broker again. It holds back no requests: the client
 * retries by itself.
 */
export class KafkaCircuit {
  readonly #name: string
  readonly #clock: Clock
  /** True for topics that reach a broker. */
  readonly #isReachable = new Map<string, boolean>()
  #sinceMs: number
  #isOpen = false
  #opened = 0
  #retries = 0
  #reason: string | undefined

  /** Starts closed; `name` is the list of broker addresses. */
  constructor(name: string, clock: Clock = systemClock) {
    this.#name = name
    this.#clock = clock
    this.#sinceMs = clock.now()
  }

  get circuit(): Circuit {
    return {
      kind: 'kafka',
      name: this.#name,
      state: this.#isOpen ? 'open' : 'closed',
      sinceMs: this.#sinceMs,
      openedCount: this.#opened,
      retries: this.#retries,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    }
  }

  /** Updates the circuit from an event of the topic's source. */
  onSourceEvent(topic: string, event: SourceEvent): void {
    switch (event.kind) {
      case 'restarting':
        this.#retries++
        // A broker that refuses a request was reached.
        if (isUnreachable(event.error)) this.markUnreachable(topic, messageOf(event.error))
        break
      case 'assigned':
      case 'offsets-committed':
        this.markReachable(topic)
        break
      case 'positioned':
      case 'rebalancing':
      case 'credit-waited':
      case 'offsets-failed':
        break
    }
  }

  /** Records that a topic has reached a broker. */
  markReachable(topic: string): void {
    if (this.#isReachable.get(topic) === true) return
    this.#isReachable.set(topic, true)
    this.#update()
  }

  /** Records that a topic cannot reach the brokers. */
  markUnreachable(topic: string, reason: string): void {
    this.#reason = reason.slice(0, REASON_CHARACTERS_MAX)
    this.#isReachable.set(topic, false)
    this.#update()
  }

  /** Removes a topic that no longer runs. */
  forget(topic: string): void {
    if (this.#isReachable.delete(topic)) this.#update()
  }

  /** Removes all topics except these. */
  retain(topics: readonly string[]): void {
    for (const topic of this.#isReachable.keys()) if (!topics.includes(topic)) this.forget(topic)
  }

  #update(): void {
    const reachable = [...this.#isReachable.values()]
    const isOpen = reachable.length > 0 && !reachable.includes(true)
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    this.#sinceMs = this.#clock.now()
    if (isOpen) this.#opened++
  }
}
