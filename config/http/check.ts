import type { ReportFault } from '../report.ts'
import type { HttpConfig } from '../types.ts'

const PORT_MAX = 65_535

/** Reports a port outside the valid range. */
export function checkHttp({ port }: HttpConfig, report: ReportFault): void {
  if (port !== undefined && port > PORT_MAX)
    report(['http.port'], `must be at most ${PORT_MAX}: value was ${port}`)
}
