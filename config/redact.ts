import { optionsOf } from './option.ts'
import { SERVICE_OPTIONS } from './schema.ts'
import type { Config } from './types.ts'

/** Dotted keys of the options whose values are never shown. */
export const SENSITIVE_KEYS: readonly string[] = optionsOf(SERVICE_OPTIONS)
  .filter(({ option }) => option.sensitive === true)
  .map(({ key }) => key)

/** A copy of the configuration that may be logged: values of sensitive options that are set read `[secret]`. */
export function redact<T extends object = Config>(config: T): T {
  return copy(config, '') as T
}

function copy(value: unknown, key: string): unknown {
  if (SENSITIVE_KEYS.includes(key)) return value === undefined ? undefined : '[secret]'
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, copy(child, key === '' ? name : `${key}.${name}`)]),
  )
}
