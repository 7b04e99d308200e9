import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Reports contradictions among the options for tombstones. */
export function checkMessages({ tombstones, tombstoneKey }: TopicConfig, report: ReportFault): void {
  if (tombstoneKey !== undefined && tombstones !== 'row')
    report(['tombstoneKey', 'tombstones'], `is set, but tombstones is ${tombstones}, not row`)
}
