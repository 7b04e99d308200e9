import type { TopicConfig } from '../../../config/types.ts'
import type { RetryPolicy } from '../../resilience/retries.ts'

/** Returns the retry policy that a topic's options describe. */
export function retryPolicyOf({ retry }: Pick<TopicConfig, 'retry'>): RetryPolicy {
  const { attempts, baseMs, capMs, deadlineMs } = retry
  return { attemptsMax: attempts, minBackoffMs: baseMs, maxBackoffMs: capMs, deadlineMs }
}
