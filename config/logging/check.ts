import { findSourcePathFault } from '../transforms/path.ts'
import type { ReportFault } from '../report.ts'
import type { TopicLogConfig } from './types.ts'

const SAMPLES_PER_MINUTE_MAX = 600

/** Reports a rate of logged sample rows beyond the maximum, and invalid paths of masked fields. */
export function checkLog({ samplesPerMinute = 0, mask }: TopicLogConfig, report: ReportFault): void {
  for (const path of mask) {
    const fault = findSourcePathFault(path)
    if (fault !== undefined) report(['log.mask'], fault)
  }
  if (samplesPerMinute > SAMPLES_PER_MINUTE_MAX)
    report(
      ['log.samplesPerMinute'],
      `must be at most ${SAMPLES_PER_MINUTE_MAX}: value was ${samplesPerMinute}`,
    )
}
