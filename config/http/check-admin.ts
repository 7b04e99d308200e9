import type { Report } from '../report.ts'
import type { Config } from '../types.ts'

const TOKEN_CHARACTERS_MIN = 16

/** Verbs over HTTP that nobody could be kept from, or that nobody could ask for. */
export function checkAdmin({ admin, http }: Pick<Config, 'admin' | 'http'>, report: Report): void {
  const { enabled, token } = admin
  if (enabled && token === undefined) report(['admin.token'], 'must be given, while admin.enabled is true')
  if (token !== undefined && token.length < TOKEN_CHARACTERS_MIN)
    report(['admin.token'], `must have at least ${TOKEN_CHARACTERS_MIN} characters: it has ${token.length}`)
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    report(['admin.token'], 'must be of visible ASCII characters, since it comes in an HTTP header')
  if (enabled && http.port === undefined)
    report(['admin.enabled', 'http.port'], 'must be given, while admin.enabled is true')
}
