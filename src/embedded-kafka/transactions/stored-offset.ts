/** Holds an offset that a group commits. */
export interface StoredOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

type OffsetFact = readonly [offset: string, leaderEpoch: number, metadata: string | null]

/** Returns an offset as JSON knows it. */
export function offsetFactOf({ offset, leaderEpoch, metadata }: StoredOffset): unknown {
  const fact: OffsetFact = [offset.toString(), leaderEpoch, metadata]
  return fact
}

/** Returns the offset of an `offsetFactOf`. */
export function offsetOfFact(fact: unknown): StoredOffset {
  const [offset, leaderEpoch, metadata] = fact as OffsetFact
  return { offset: BigInt(offset), leaderEpoch, metadata }
}
