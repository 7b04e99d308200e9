import type { Circuit, CircuitState } from '../../core/circuit.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import type { SourceEvent } from '../../kafka/source/source-options.ts'

const REASON_CHARACTERS_MAX = 300

/**
 * Tracks in the form of a circuit whether Kafka answers. It is half open, which lets all requests through, until the first
 * response to any topic. It opens when, for every topic heard from so far, requests to the brokers and the coordinator get
 * no response: they wait or time out, or connections are refused or break. It closes with the next response to any topic. A
 * response that refuses a request, a rebalance and a coordinator that moves are answers. It holds back no requests: the
 * consumer repeats them by itself.
 */
export class KafkaCircuit {
  readonly #name: string
  readonly #clock: Clock
  readonly #onChange: (circuit: Circuit) => void
  /** True for topics to which a broker answers, by the name of their entry: several entries may read one topic. */
  readonly #isReachable = new Map<string, boolean>()
  #hasAnswered = false
  #state: CircuitState = 'half-open'
  #sinceMs: number
  #opened = 0
  #retries = 0
  #reason: string | undefined

  /** `name` is the list of broker addresses; `onChange` is called with each change of state. */
  constructor(
    name: string,
    clock: Clock = systemClock,
    onChange: (circuit: Circuit) => void = () => undefined,
  ) {
    this.#name = name
    this.#clock = clock
    this.#onChange = onChange
    this.#sinceMs = clock.now()
  }

  get circuit(): Circuit {
    return {
      kind: 'kafka',
      name: this.#name,
      state: this.#state,
      sinceMs: this.#sinceMs,
      openedCount: this.#opened,
      retries: this.#retries,
      ...(this.#state === 'half-open' ? { isPassing: true as const } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason, code: 'KD_KAFKA_UNREACHABLE' as const }),
    }
  }

  /** Updates the circuit from an event of the topic's source. */
  onSourceEvent(topic: string, event: SourceEvent): void {
    switch (event.kind) {
      case 'restarting':
        this.#retries++
        break
      case 'brokers-silent':
        this.markUnreachable(topic, messageOf(event.error))
        break
      case 'brokers-answer':
        this.#isReachable.set(topic, true)
        this.markAnswered()
        break
      case 'assigned':
      case 'topic-identified':
      case 'positioned':
      case 'rebalancing':
      case 'credit-waited':
      case 'offsets-committed':
      case 'offsets-failed':
        break
    }
  }

  /** Records that no broker answers to a topic. */
  markUnreachable(topic: string, reason: string): void {
    this.#reason = reason.slice(0, REASON_CHARACTERS_MAX)
    this.#isReachable.set(topic, false)
    this.#update()
  }

  /** Records that a topic failed because no broker answered; means nothing while brokers answer to the topic. */
  noteFailure(topic: string, reason: string): void {
    if (this.#isReachable.get(topic) !== true) this.markUnreachable(topic, reason)
  }

  /** Records that a broker has answered a request that belongs to no topic, such as the one for the list of topics. */
  markAnswered(): void {
    this.#hasAnswered = true
    this.#update()
  }

  /** Records that a topic has no consumer for now: that brokers answered it before says nothing about the present. */
  markIdle(topic: string): void {
    if (this.#isReachable.get(topic) === true) this.forget(topic)
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
    const state = isOpen ? 'open' : this.#hasAnswered ? 'closed' : 'half-open'
    if (state === this.#state) return
    this.#state = state
    this.#sinceMs = this.#clock.now()
    if (isOpen) this.#opened++
    this.#onChange(this.circuit)
  }
}
