/** Describes one topic's share of a budget: the bytes that it holds and the bytes that it waits for. */
export interface BudgetMember {
  readonly bytesMax: number
  readonly taken: number
  /** Bytes and turn of the first waiting batch; `undefined` if none waits or the topic's own limits refuse it. */
  readonly pending: { readonly bytes: number; readonly turn: number } | undefined
  /** Grants the first waiting batch its bytes if the limits allow it; returns whether it did. */
  grantNext(): boolean
  /** Asks the topic to flush its buffer, so that the bytes are given back. */
  requestFlush(): void
}

/** Fraction of an equal share that is reserved for each of several topics; the rest is lent. */
const RESERVED_SHARE = 0.5
/** A topic may borrow up to this many times the bytes left: one whose store is down never borrows everything. */
const LENT_PER_FREE = 2

/**
 * Divides one budget of bytes among all topics of a process. Half of an equal share is reserved for each topic,
 * whatever the other topics do; the other half of the budget is lent: the topic that has borrowed least goes first,
 * then the one that waits longest, and no topic may borrow more than twice the bytes left. While a topic waits for the
 * budget, topics that have borrowed more flush their buffers. A batch larger than all bytes that can be lent is granted
 * to one topic at a time. A single topic has the whole budget.
 */
export class Budget {
  readonly bytesMax: number
  readonly #members = new Set<BudgetMember>()
  /** The topic that holds a batch larger than all bytes that can be lent. */
  #oversized: BudgetMember | undefined
  /** Bytes reserved for each topic, before the topic's own maximum is applied. */
  #share: number
  #expected = 1
  #lendable = 0
  #turns = 0
  #isRequestScheduled = false

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.#share = bytesMax
  }

  /** Bytes that all topics hold. */
  get taken(): number {
    let sum = 0
    for (const { taken } of this.#members) sum += taken
    return sum
  }

  /** Reserves shares for `topics` topics from now on, also for topics that have not joined yet. */
  expectTopics(topics: number): void {
    this.#expected = topics
    this.#divide()
  }

  /** Adds a topic and divides the budget again. */
  join(member: BudgetMember): void {
    this.#members.add(member)
    this.#divide()
  }

  /** Removes a topic, whose bytes are no longer counted, and divides the budget again. */
  leave(member: BudgetMember): void {
    if (!this.#members.delete(member)) return
    if (this.#oversized === member) this.#oversized = undefined
    this.#divide()
    this.grantWaiting()
  }

  /** Returns the turn of a batch that begins to wait; turns ascend. */
  nextTurn(): number {
    return ++this.#turns
  }

  /** Returns the bytes reserved for a topic. */
  reservedFor({ bytesMax }: BudgetMember): number {
    return Math.min(bytesMax, this.#share)
  }

  /** Returns whether a topic may take `bytes` now; `turn` is the turn of its waiting batch, absent if it has not waited. */
  allows(member: BudgetMember, bytes: number, turn = Infinity): boolean {
    const after = member.taken + bytes - this.reservedFor(member)
    // Batches that turned out larger than estimated may hold more than was granted; one batch is allowed even then.
    if (after <= 0) return member.taken === 0 || this.taken + bytes <= this.bytesMax
    if (this.#oversized === member) return false
    if (this.#isOversized(member, bytes)) return this.#oversized === undefined
    const borrowed = this.#borrowedBy(member)
    const free = Math.min(this.#lendable - this.#lent(), this.bytesMax - this.taken)
    if (after - borrowed > free || (member.taken > 0 && after > LENT_PER_FREE * free)) return false
    for (const other of this.#members) {
      const { pending } = other
      if (pending === undefined || other === member || !this.#canBeMet(other, pending.bytes)) continue
      const theirs = this.#borrowedBy(other)
      if (theirs < borrowed || (theirs === borrowed && pending.turn < turn)) return false
    }
    return true
  }

  /** Notes that a topic is about to take `bytes` that `allows` has allowed. */
  noteTaking(member: BudgetMember, bytes: number): void {
    if (this.#isOversized(member, bytes)) this.#oversized = member
  }

  /** Grants waiting batches their bytes after bytes were given back or a wait ended. */
  grantWaiting(): void {
    if (this.#oversized !== undefined && this.#oversized.taken <= this.reservedFor(this.#oversized))
      this.#oversized = undefined
    for (let granted = true; granted;) {
      const waiting = [...this.#members].filter(({ pending }) => pending !== undefined)
      granted = waiting.sort((a, b) => this.#order(a, b)).some((member) => member.grantNext())
    }
    this.requestFlushesSoon()
  }

  /** Asks topics in the next microtask to flush their buffers if other topics wait for the bytes. */
  requestFlushesSoon(): void {
    if (this.#isRequestScheduled) return
    this.#isRequestScheduled = true
    queueMicrotask(() => {
      this.#isRequestScheduled = false
      const refused = this.#refused()
      if (refused.length === 0) return
      for (const member of [...this.#members])
        if (this.#shouldFlushFor(member, refused)) member.requestFlush()
    })
  }

  /** Returns whether a topic, possibly this one, waits for bytes that this topic should give back. */
  shouldFlush(member: BudgetMember): boolean {
    return this.#shouldFlushFor(member, this.#refused())
  }

  #shouldFlushFor(member: BudgetMember, refused: readonly BudgetMember[]): boolean {
    const borrowed = this.#borrowedBy(member)
    return refused.some(
      (other) =>
        other === member ||
        this.#borrowedBy(other) < borrowed ||
        (member === this.#oversized && this.#isOversized(other, other.pending?.bytes ?? 0)),
    )
  }

  /** The topics whose waiting batch is refused by the budget alone. */
  #refused(): readonly BudgetMember[] {
    return [...this.#members].filter(
      (member) =>
        member.pending !== undefined && !this.allows(member, member.pending.bytes, member.pending.turn),
    )
  }

  #divide(): void {
    const members = [...this.#members]
    const wanted = members.reduce((sum, { bytesMax }) => sum + bytesMax, 0)
    const count = Math.max(members.length, this.#expected)
    // If the budget covers the maximum of every topic, no topic needs to borrow.
    this.#share =
      wanted <= this.bytesMax
        ? Infinity
        : Math.floor(count <= 1 ? this.bytesMax : (RESERVED_SHARE * this.bytesMax) / count)
    this.#lendable = this.bytesMax - members.reduce((sum, member) => sum + this.reservedFor(member), 0)
  }

  #lent(): number {
    let sum = 0
    for (const member of this.#members) sum += this.#borrowedBy(member)
    return sum
  }

  #borrowedBy(member: BudgetMember): number {
    return member === this.#oversized ? 0 : Math.max(0, member.taken - this.reservedFor(member))
  }

  /** Returns whether a batch is larger than all bytes that can be lent. */
  #isOversized(member: BudgetMember, bytes: number): boolean {
    return member.taken === 0 && bytes - this.reservedFor(member) > this.#lendable
  }

  /** Returns whether a request could be granted once all other topics gave back what they borrowed; otherwise they need not wait for it. */
  #canBeMet(member: BudgetMember, bytes: number): boolean {
    if (this.#oversized === member || this.#isOversized(member, bytes)) return false
    const borrowed = this.#borrowedBy(member)
    const free = this.#lendable - borrowed
    const after = member.taken + bytes - this.reservedFor(member)
    return after - borrowed <= free && (member.taken === 0 || after <= LENT_PER_FREE * free)
  }

  #order(a: BudgetMember, b: BudgetMember): number {
    return this.#borrowedBy(a) - this.#borrowedBy(b) || (a.pending?.turn ?? 0) - (b.pending?.turn ?? 0)
  }
}
