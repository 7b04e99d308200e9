import type { ReportFault } from '../report.ts'
import type { TopicLogConfig } from './types.ts'

const SAMPLES_PER_MINUTE_MAX = 600

/** Reports a rate of logged sample rows beyond the maximum. */
export function checkLog({ samplesPerMinute = 0 }: TopicLogConfig, report: ReportFault): void {
  if (samplesPerMinute > SAMPLES_PER_MINUTE_MAX)
    report(
      ['log.samplesPerMinute'],
      `must be at most ${SAMPLES_PER_MINUTE_MAX}: value was ${samplesPerMinute}`,
    )
}
