import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Reports options that contradict `compatibility`. */
export function checkCompatibility({ compatibility, contract }: TopicConfig, report: ReportFault): void {
  if (compatibility !== 'none' && contract !== undefined)
    report(
      ['contract', 'compatibility'],
      `is set, but with compatibility ${compatibility} the columns come from the table alone`,
    )
}
