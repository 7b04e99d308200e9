import type { Circuit } from '../../core/circuit.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { isUnreachable } from '../../kafka/client/faults.ts'
import type { SourceEvent } from '../../kafka/source/source-options.ts'

const REASON_CHARACTERS_MAX = 300

/**
 * What the process knows of its brokers, in the form of a circuit: open once every topic that has told anything has lost its
 * connection, closed again once one of them hears from a broker. Nothing is held back by it: kafkajs tries by itself.
 */
export class KafkaCircuit {
  readonly #name: string
  readonly #clock: Clock
  /** Whether the brokers answer, by topic. */
  readonly #answered = new Map<string, boolean>()
  #sinceMs: number
  #isOpen = false
  #opened = 0
  #retries = 0
  #reason: string | undefined

  /** `name` is the brokers' addresses. */
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
      opened: this.#opened,
      retries: this.#retries,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    }
  }

  /** Told what happens between a topic and the brokers. */
  event(topic: string, event: SourceEvent): void {
    switch (event.kind) {
      case 'restarting':
        this.#retries++
        // A broker that refuses something has answered.
        if (isUnreachable(event.error)) this.lost(topic, messageOf(event.error))
        break
      case 'assigned':
      case 'offsets-committed':
        this.answered(topic)
        break
      case 'positioned':
      case 'rebalancing':
      case 'repositioned':
      case 'credit-waited':
      case 'offsets-failed':
        break
    }
  }

  /** A topic has heard from a broker. */
  answered(topic: string): void {
    if (this.#answered.get(topic) === true) return
    this.#answered.set(topic, true)
    this.#settle()
  }

  /** A topic cannot reach the brokers. */
  lost(topic: string, reason: string): void {
    this.#reason = reason.slice(0, REASON_CHARACTERS_MAX)
    this.#answered.set(topic, false)
    this.#settle()
  }

  /** A topic is no longer carried. */
  forget(topic: string): void {
    if (this.#answered.delete(topic)) this.#settle()
  }

  /** Forgets all topics but these. */
  keep(topics: readonly string[]): void {
    for (const topic of this.#answered.keys()) if (!topics.includes(topic)) this.forget(topic)
  }

  #settle(): void {
    const answers = [...this.#answered.values()]
    const isOpen = answers.length > 0 && !answers.includes(true)
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    this.#sinceMs = this.#clock.now()
    if (isOpen) this.#opened++
  }
}
