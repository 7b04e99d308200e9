import type { Report } from '../report.ts'
import type { HttpConfig } from '../types.ts'

const PORT_MAX = 65_535

/** Options of the endpoints that cannot be. */
export function checkHttp({ port }: HttpConfig, report: Report): void {
  if (port !== undefined && port > PORT_MAX)
    report(['http.port'], `must be at most ${PORT_MAX}: value was ${port}`)
}
