import type { Report } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Options of messages without a value that do not go together. */
export function checkMessages({ tombstones, tombstoneKey }: TopicConfig, report: Report): void {
  if (tombstoneKey !== undefined && tombstones !== 'row')
    report(['tombstoneKey', 'tombstones'], `given, while tombstones is ${tombstones}`)
}
