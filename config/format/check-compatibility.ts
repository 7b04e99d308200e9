import type { Report } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Options that have no place where rows are made as another program makes them. */
export function checkCompatibility({ compatibility, contract }: TopicConfig, report: Report): void {
  if (compatibility !== 'none' && contract !== undefined)
    report(
      ['contract', 'compatibility'],
      `given, while compatibility is ${compatibility}, under which the columns of the table alone count`,
    )
}
