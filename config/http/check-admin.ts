import type { ReportFault } from '../report.ts'
import type { Config } from '../types.ts'

const TOKEN_CHARACTERS_MIN = 16

/**
 * Reports an admin API without a token or without a port, and tokens that are too short or not valid in an
 * HTTP header.
 */
export function checkAdmin({ admin, http }: Pick<Config, 'admin' | 'http'>, report: ReportFault): void {
  const { enabled, token } = admin
  if (enabled && token === undefined) report(['admin.token'], 'is required because admin.enabled is true')
  if (token !== undefined && token.length < TOKEN_CHARACTERS_MIN)
    report(
      ['admin.token'],
      `must have at least ${TOKEN_CHARACTERS_MIN} characters: value has ${token.length}`,
    )
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    report(['admin.token'], 'must consist of visible ASCII characters, because it is sent in an HTTP header')
  if (enabled && http.port === undefined)
    report(['admin.enabled', 'http.port'], 'is set, but http.port is not')
}
