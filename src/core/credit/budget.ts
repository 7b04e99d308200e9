/** What one topic holds of a budget, and what it waits for. */
export interface Member {
  readonly bytesMax: number
  readonly taken: number
  /** Bytes of the first batch that waits, and its turn, where nothing but the budget may stand in its way. */
  readonly wish: { readonly bytes: number; readonly turn: number } | undefined
  /** Lets the first that waits go on if it may; says whether it did. */
  grantOne(): boolean
  /** What is buffered should become a flush, so that its bytes come back. */
  press(): void
}

/** What of an equal share is kept for each of several topics; the rest is lent. */
const KEPT = 0.5
/** A topic may borrow until it has this many times what is left: so that one whose store is down never has all of it. */
const LENT_PER_FREE = 2

/**
 * One budget in bytes for all topics of a process. Half of an equal share is kept for each topic, whatever the others do;
 * the other half of the budget is lent: who has borrowed least goes first, then who waits longest, and nobody may borrow
 * more than twice what is left. While one waits for the budget, those that have borrowed more than it flush what they have
 * buffered. A batch that is larger than all that can be lent passes alone. A single topic has the whole budget.
 */
export class Budget {
  readonly bytesMax: number
  readonly #members = new Set<Member>()
  /** Holds a batch beyond what can be lent. */
  #beyond: Member | undefined
  /** What is kept for each topic, at most as much as it may hold at all. */
  #share: number
  #expected = 1
  #lendable = 0
  #turns = 0
  #isPressing = false

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.#share = bytesMax
  }

  /** Bytes that all topics have taken. */
  get taken(): number {
    let sum = 0
    for (const { taken } of this.#members) sum += taken
    return sum
  }

  /** So many topics have their share from now on, however late they join. */
  expect(topics: number): void {
    this.#expected = topics
    this.#divide()
  }

  /** Counts what the member holds from now on, and divides the budget anew. */
  join(member: Member): void {
    this.#members.add(member)
    this.#divide()
  }

  /** What the member holds is no longer counted. */
  leave(member: Member): void {
    if (!this.#members.delete(member)) return
    if (this.#beyond === member) this.#beyond = undefined
    this.#divide()
    this.settle()
  }

  /** The place of one that begins to wait. */
  nextTurn(): number {
    return ++this.#turns
  }

  /** What is kept for a topic. */
  keptFor({ bytesMax }: Member): number {
    return Math.min(bytesMax, this.#share)
  }

  /** Whether a member may take `bytes` now; `turn` is that of its wish, none where it has not waited. */
  allows(member: Member, bytes: number, turn = Infinity): boolean {
    const after = member.taken + bytes - this.keptFor(member)
    // What turned out larger than was foreseen may have used up more than was granted; one batch passes even so.
    if (after <= 0) return member.taken === 0 || this.taken + bytes <= this.bytesMax
    if (this.#beyond === member) return false
    if (this.#isBeyond(member, bytes)) return this.#beyond === undefined
    const borrowed = this.#borrowedBy(member)
    const free = Math.min(this.#lendable - this.#lent(), this.bytesMax - this.taken)
    if (after - borrowed > free || (member.taken > 0 && after > LENT_PER_FREE * free)) return false
    for (const other of this.#members) {
      const { wish } = other
      if (wish === undefined || other === member || !this.#canBeMet(other, wish.bytes)) continue
      const theirs = this.#borrowedBy(other)
      if (theirs < borrowed || (theirs === borrowed && wish.turn < turn)) return false
    }
    return true
  }

  /** A member is about to take `bytes` that `allows` has allowed. */
  takes(member: Member, bytes: number): void {
    if (this.#isBeyond(member, bytes)) this.#beyond = member
  }

  /** Something came back, or somebody waits no longer: those that may go on do. */
  settle(): void {
    if (this.#beyond !== undefined && this.#beyond.taken <= this.keptFor(this.#beyond))
      this.#beyond = undefined
    for (let granted = true; granted;) {
      const waiting = [...this.#members].filter(({ wish }) => wish !== undefined)
      granted = waiting.sort((a, b) => this.#order(a, b)).some((member) => member.grantOne())
    }
    this.pressLater()
  }

  /** Soon tells those to flush whose bytes somebody waits for. */
  pressLater(): void {
    if (this.#isPressing) return
    this.#isPressing = true
    queueMicrotask(() => {
      this.#isPressing = false
      const refused = this.#refused()
      if (refused.length === 0) return
      for (const member of [...this.#members]) if (this.#isPressedBy(member, refused)) member.press()
    })
  }

  /** Whether somebody, or it itself, waits for bytes that this member should give back. */
  isPressed(member: Member): boolean {
    return this.#isPressedBy(member, this.#refused())
  }

  #isPressedBy(member: Member, refused: readonly Member[]): boolean {
    const borrowed = this.#borrowedBy(member)
    return refused.some(
      (other) =>
        other === member ||
        this.#borrowedBy(other) < borrowed ||
        (member === this.#beyond && this.#isBeyond(other, other.wish?.bytes ?? 0)),
    )
  }

  /** Those that wait for nothing but the budget. */
  #refused(): readonly Member[] {
    return [...this.#members].filter(
      (member) => member.wish !== undefined && !this.allows(member, member.wish.bytes, member.wish.turn),
    )
  }

  #divide(): void {
    const members = [...this.#members]
    const wanted = members.reduce((sum, { bytesMax }) => sum + bytesMax, 0)
    const count = Math.max(members.length, this.#expected)
    // Where all may hold as much as they ever want at the same time, nobody borrows.
    this.#share =
      wanted <= this.bytesMax
        ? Infinity
        : Math.floor(count <= 1 ? this.bytesMax : (KEPT * this.bytesMax) / count)
    this.#lendable = this.bytesMax - members.reduce((sum, member) => sum + this.keptFor(member), 0)
  }

  #lent(): number {
    let sum = 0
    for (const member of this.#members) sum += this.#borrowedBy(member)
    return sum
  }

  #borrowedBy(member: Member): number {
    return member === this.#beyond ? 0 : Math.max(0, member.taken - this.keptFor(member))
  }

  /** Whether a batch is more than can ever be lent. */
  #isBeyond(member: Member, bytes: number): boolean {
    return member.taken === 0 && bytes - this.keptFor(member) > this.#lendable
  }

  /** Whether a wish could be met if all others had given back what they borrowed: otherwise nobody need wait for it. */
  #canBeMet(member: Member, bytes: number): boolean {
    if (this.#beyond === member || this.#isBeyond(member, bytes)) return false
    const borrowed = this.#borrowedBy(member)
    const free = this.#lendable - borrowed
    const after = member.taken + bytes - this.keptFor(member)
    return after - borrowed <= free && (member.taken === 0 || after <= LENT_PER_FREE * free)
  }

  #order(a: Member, b: Member): number {
    return this.#borrowedBy(a) - this.#borrowedBy(b) || (a.wish?.turn ?? 0) - (b.wish?.turn ?? 0)
  }
}
