import { checkEndpoint, type ReportFault } from '../report.ts'
import type { Config } from '../types.ts'

const PLACEHOLDER = '{traceId}'

/** Reports an address of traces that is no web address, or does not say where the id of a trace belongs. */
export function checkConsole({ traceUrl }: Config['console'], report: ReportFault): void {
  checkEndpoint(traceUrl, 'console.traceUrl', report)
  if (traceUrl !== undefined && !traceUrl.includes(PLACEHOLDER))
    report(
      ['console.traceUrl'],
      `must contain ${PLACEHOLDER}, which is replaced by the id of a trace: value was ${JSON.stringify(traceUrl)}`,
    )
}
