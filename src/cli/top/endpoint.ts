import { HTTP_OPTIONS } from '../../../config/http/options.ts'
import type { ConfigSources } from '../../../config/load/load.ts'
import type { HttpConfig } from '../../../config/types.ts'
import { configSourcesOf, type ConfigFlags } from '../config-flags.ts'

/**
 * Returns the configuration sources for the address. Without a configuration file only the variables of the
 * HTTP options are read, because other variables may be incomplete without the service's file.
 */
export function endpointSourcesOf(flags: ConfigFlags): ConfigSources {
  if (flags.config !== undefined || flags.set !== undefined) return configSourcesOf(flags)
  const names = Object.values(HTTP_OPTIONS).map(({ env }) => env)
  return { env: Object.fromEntries(names.map((name) => [name, process.env[name]])) }
}

/**
 * Returns the URL at which a service with these options is reached from its own machine, or `undefined`
 * without a port.
 */
export function urlOf({ host, port }: HttpConfig): string | undefined {
  if (port === undefined) return undefined
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`
}
