/** Describes why records cannot be read for now, and since when. */
export interface ReadObstacle {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
  /** Names the broker with its address, as far as it is known. */
  readonly reason: string
}

/**
 * Remembers since when each partition cannot be read, while the cause changes: a broker that stops to answer is followed by
 * a partition without a leader.
 */
export class ReadObstacles {
  #sinceMs: ReadonlyMap<number, number> = new Map()

  /** Adds the present obstacles to the descriptions of all partitions, with the time at which the first one of each began. */
  addTo<T extends { readonly partition: number }>(
    partitions: readonly T[],
    find: (partition: number) => ReadObstacle | undefined,
  ): readonly (T & { readonly obstacle?: ReadObstacle })[] {
    const began = new Map<number, number>()
    const described = partitions.map((each) => {
      const present = find(each.partition)
      if (present === undefined) return each
      const sinceMs = Math.min(this.#sinceMs.get(each.partition) ?? Infinity, present.sinceMs)
      began.set(each.partition, sinceMs)
      return { ...each, obstacle: { ...present, sinceMs } }
    })
    this.#sinceMs = began
    return described
  }
}

/**
 * Pause between two requests after which a failure is forgotten, in milliseconds: requests that fail are repeated within a
 * second, so no partition was read from the broker meanwhile.
 */
const UNASKED_MS = 10_000

/** Tracks whether one broker answers the fetches that are sent to it, one at a time. */
export class BrokerAnswers {
  /** Address of the broker as `host:port`, once it is known. */
  address: string | undefined
  readonly #nodeId: number
  readonly #silenceMs: number
  /** Begins with the first failure since the last good response, and has the reason of the newest. */
  #failing: ReadObstacle | undefined
  #waitingSinceMs: number | undefined
  #endedAtMs = -Infinity

  /** A request without a response for `silenceMs` is an obstacle before it fails. */
  constructor(nodeId: number, silenceMs: number) {
    this.#nodeId = nodeId
    this.#silenceMs = silenceMs
  }

  /** Notes that a request is sent, or the connection for it opened. */
  begin(nowMs: number): void {
    if (nowMs - this.#endedAtMs > UNASKED_MS) this.#failing = undefined
    this.#waitingSinceMs = nowMs
  }

  /** Notes that the request is over, with or without a response. */
  end(nowMs: number): void {
    this.#waitingSinceMs = undefined
    this.#endedAtMs = nowMs
  }

  /** Notes a request without a good response; `what` follows the name of the broker. */
  noteFailure(nowMs: number, what: string): void {
    this.#failing = { sinceMs: this.#failing?.sinceMs ?? nowMs, reason: `${this.#name()} ${what}` }
  }

  noteSuccess(): void {
    this.#failing = undefined
  }

  /** Returns the obstacle of a broker that fails, or has not answered the present request in time. */
  obstacle(nowMs: number): ReadObstacle | undefined {
    const sinceMs = this.#waitingSinceMs
    if (this.#failing !== undefined || sinceMs === undefined || nowMs - sinceMs < this.#silenceMs)
      return this.#failing
    return { sinceMs, reason: `${this.#name()} does not answer` }
  }

  #name(): string {
    return `broker ${this.#nodeId}${this.address === undefined ? '' : ` at ${this.address}`}`
  }
}
