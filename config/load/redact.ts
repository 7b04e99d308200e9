import { optionsOf } from '../option.ts'
import { SERVICE_OPTIONS } from '../schema.ts'
import type { Config } from '../types.ts'

/** Dotted keys of the options whose values are never shown. */
export const SENSITIVE_KEYS: readonly string[] = optionsOf(SERVICE_OPTIONS)
  .filter(({ option }) => option.sensitive === true)
  .map(({ key }) => key)

const HIDDEN = '[secret]'

/** Shorter texts are no secrets, and would hide words that happen to hold them. */
const CHARACTERS_MIN = 6

/**
 * A copy of the configuration that may be logged: values of sensitive options that are set read `[secret]`, and so do the
 * logins of addresses and signatures in them.
 */
export function redact<T extends object = Config>(config: T): T {
  return copy(config, '') as T
}

function copy(value: unknown, key: string): unknown {
  if (SENSITIVE_KEYS.includes(key)) return value === undefined ? undefined : HIDDEN
  if (typeof value === 'string') return withoutLogin(value)
  if (Array.isArray(value)) return value.map((each) => copy(each, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, copy(child, key === '' ? name : `${key}.${name}`)]),
  )
}

/** An address without what stands for a login in it: `user:password@`, and the `sig` of a signed one. */
function withoutLogin(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*:[^/@]*@/i, `$1${HIDDEN}@`)
    .replace(/([?&]sig=)[^&]*/gi, `$1${HIDDEN}`)
}

/** What hides the secrets of a configuration in any text, JSON and addresses among them. */
export function withoutSecrets(config: object): (text: string) => string {
  const forms = SENSITIVE_KEYS.flatMap((key) => {
    const value = at(config, key)
    if (typeof value !== 'string' || value.length < CHARACTERS_MIN) return []
    return [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      ...basicOf(config, key, value),
    ]
  })
  // The longer first: one may hold another.
  const secrets = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text)
}

/** A password as it travels with its user: "Basic …". */
function basicOf(config: object, key: string, password: string): readonly string[] {
  const username = at(config, key.replace(/[^.]*$/, 'username'))
  return typeof username === 'string' ? [Buffer.from(`${username}:${password}`).toString('base64')] : []
}

function at(config: object, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name],
      config,
    )
}
