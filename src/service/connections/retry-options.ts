import type { TopicConfig } from '../../../config/types.ts'
import type { RetryPatience } from '../../resilience/retries.ts'

/** How hard a topic tries, as its options say. */
export function patienceOf({ retry }: Pick<TopicConfig, 'retry'>): RetryPatience {
  const { attempts, baseMs, capMs, deadlineMs } = retry
  return { attemptsMax: attempts, pauseMsMin: baseMs, pauseMsMax: capMs, deadlineMs }
}
