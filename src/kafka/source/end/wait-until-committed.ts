import type { Clock } from '../../../core/clock.ts'
import type { Credit } from '../../../core/credit/credit.ts'
import type { Position, Positions } from '../start-positions.ts'

/** Interval of the checks. */
const CHECK_MS = 50

/** Provides what a wait for commits needs. */
interface CommitWait {
  readonly positions: Positions
  readonly credit: Pick<Credit, 'requestFlush'>
  readonly clock: Clock
  /** Returns true when waiting is of no use, for example because the source has ended. */
  readonly isOver: () => boolean
}

/** Requests flushes and waits until everything that was read of the partitions is committed, or `isOver` returns true. */
export async function waitUntilCommitted(
  partitions: readonly number[],
  { positions, credit, clock, isOver }: CommitWait,
): Promise<void> {
  const isDone = (partition: number): boolean => isCommitted(positions.get(partition))
  while (!partitions.every(isDone) && !isOver()) {
    credit.requestFlush()
    await clock.sleep(CHECK_MS)
  }
}

/** Returns true if everything that was read of a partition is committed; an unknown position has nothing to commit. */
export function isCommitted(position: Position | undefined): boolean {
  return position?.live !== true || position.follows === undefined || position.committed === position.follows
}

/** Returns true if all positions are known and at the end offsets `ends`; false without `ends`. */
export function areReached(
  positions: readonly Position[],
  ends: ReadonlyMap<number, bigint> | undefined,
): boolean {
  if (ends === undefined) return false
  return positions.every(({ partition, live, next }) => live && next >= (ends.get(partition) ?? 0n))
}
