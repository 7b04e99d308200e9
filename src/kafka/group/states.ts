/** Names the state of a group member. */
export type GroupState =
  /** Not a member: it has not joined yet, or it lost its membership. */
  | 'unjoined'
  /** Waits for the response to its join; in the classic protocol this takes until all members have joined. */
  | 'joining'
  /** Joined; computes the assignment as leader, or waits for it. Classic protocol only. */
  | 'syncing'
  /** Hands over revoked partitions and takes new ones. */
  | 'reconciling'
  | 'stable'
  | 'leaving'
  | 'left'
  /** Ended with an error. */
  | 'failed'

/** Lists the states that may follow each state. */
const TRANSITIONS: Readonly<Record<GroupState, readonly GroupState[]>> = {
  unjoined: ['joining', 'leaving', 'failed'],
  joining: ['joining', 'syncing', 'reconciling', 'stable', 'unjoined', 'leaving', 'failed'],
  syncing: ['reconciling', 'joining', 'unjoined', 'leaving', 'failed'],
  reconciling: ['stable', 'syncing', 'joining', 'unjoined', 'leaving', 'failed'],
  stable: ['reconciling', 'joining', 'unjoined', 'leaving', 'failed'],
  leaving: ['left', 'failed'],
  left: [],
  failed: [],
}

/** Holds the state of a member and the time of its last transition; throws on transitions that are not in the table. */
export class GroupStateMachine {
  readonly #now: () => number
  #state: GroupState = 'unjoined'
  #sinceMs: number

  constructor(now: () => number) {
    this.#now = now
    this.#sinceMs = now()
  }

  get state(): GroupState {
    return this.#state
  }

  /** Time of the last transition, in milliseconds since the epoch. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** True if the state is final. */
  get isOver(): boolean {
    return TRANSITIONS[this.#state].length === 0
  }

  /** Changes the state; does nothing if it is the current state. */
  transitionTo(state: GroupState): void {
    if (state === this.#state) return
    if (!TRANSITIONS[this.#state].includes(state)) {
      throw new Error(`Broken invariant: a group member went from ${this.#state} to ${state}`)
    }
    this.#state = state
    this.#sinceMs = this.#now()
  }
}
