import type { Report } from '../report.ts'
import type { TopicLogConfig } from './types.ts'

const SAMPLES_PER_MINUTE_MAX = 600

/** What may be logged of a topic. */
export function checkLog({ samplesPerMinute = 0 }: TopicLogConfig, report: Report): void {
  if (samplesPerMinute > SAMPLES_PER_MINUTE_MAX)
    report(
      ['log.samplesPerMinute'],
      `must be at most ${SAMPLES_PER_MINUTE_MAX}: value was ${samplesPerMinute}`,
    )
}
