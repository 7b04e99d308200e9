import type { ReadObstacle } from '../../kafka/fetch/read-obstacles.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { InFlightFlush } from '../topic/state.ts'

/** Time for which partitions may have no broker that serves them, in milliseconds: leaders and coordinators move within it. */
const OBSTACLE_MS = 6_000
/** Maximum of partitions in a sentence. */
const NAMED_MAX = 5

/** Describes what keeps a topic from being read, partly or wholly. */
interface TopicObstacle {
  /** Absent if nothing has lasted for six seconds. */
  readonly obstacle?: ReadObstacle
  /** True if nothing of the topic can be read. */
  readonly isTotal: boolean
}

/**
 * Returns the obstacle of a topic whose dead letters cannot be stored: nothing is committed before they are. The Kafka client
 * repeats such requests for a while before it reports an error.
 */
export function deadLetterObstacleOf(
  flushes: readonly InFlightFlush[],
  target: string,
  nowMs: number,
): TopicObstacle | undefined {
  const late = flushes.find(({ stage, sinceMs }) => stage === 'deadLetters' && nowMs - sinceMs > OBSTACLE_MS)
  if (late === undefined) return undefined
  const reason = `a flush waits for its dead letters to be written to ${target}; a line of the log has the error of each trial`
  return { obstacle: { sinceMs: late.sinceMs, reason }, isTotal: true }
}

/** Returns the obstacle of a topic that has lasted for more than six seconds: of its partitions, or of the topic as a whole. */
export function topicObstacleOf(
  partitions: readonly PartitionStatus[],
  whole: ReadObstacle | undefined,
  nowMs: number,
): TopicObstacle {
  const isLasting = (obstacle: ReadObstacle | undefined): boolean =>
    obstacle !== undefined && nowMs - obstacle.sinceMs > OBSTACLE_MS
  const blocked = partitions.filter(({ obstacle }) => isLasting(obstacle))
  const [first] = blocked.flatMap(({ obstacle }) => obstacle ?? []).sort((a, b) => a.sinceMs - b.sinceMs)
  if (first !== undefined) {
    const named = blocked.slice(0, NAMED_MAX).map(({ partition }) => String(partition))
    const more = blocked.length > NAMED_MAX ? ', …' : ''
    const which = `${blocked.length} of ${partitions.length} partitions (${named.join(', ')}${more})`
    const reason = `${which} cannot be read: ${first.reason}`
    const isTotal = partitions.every(({ live, obstacle }) => !live || isLasting(obstacle))
    return { obstacle: { sinceMs: first.sinceMs, reason }, isTotal }
  }
  if (whole === undefined || !isLasting(whole)) return { isTotal: false }
  // Partitions that are not live are not read: before the first assignment all of the topic, later those that were lost.
  return { obstacle: whole, isTotal: partitions.every(({ live }) => !live) }
}
