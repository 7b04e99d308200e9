import type { Clock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { Positions } from './start-positions.ts'

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
  const isCommitted = (partition: number): boolean => {
    const position = positions.get(partition)
    return (
      position?.live !== true || position.follows === undefined || position.committed === position.follows
    )
  }
  while (!partitions.every(isCommitted) && !isOver()) {
    credit.requestFlush()
    await clock.sleep(CHECK_MS)
  }
}
