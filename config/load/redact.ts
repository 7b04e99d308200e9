import { optionsOf } from '../option.ts'
import { SERVICE_OPTIONS } from '../schema.ts'
import type { Config } from '../types.ts'

/** Lists the dotted keys of the options whose values are never shown. */
export const SENSITIVE_KEYS: readonly string[] = optionsOf(SERVICE_OPTIONS)
  .filter(({ option }) => option.sensitive === true)
  .map(({ key }) => key)

const HIDDEN = '[secret]'

/** Shorter texts are not treated as secrets: hiding them would hide parts of ordinary words. */
const CHARACTERS_MIN = 6

/**
 * Returns a copy of the configuration that is safe to log: sensitive options that are set, logins in
 * addresses and signatures in their query strings read `[secret]`.
 */
export function redact<T extends object = Config>(config: T): T {
  return copy(config, '') as T
}

function copy(value: unknown, key: string): unknown {
  if (SENSITIVE_KEYS.includes(key)) return value === undefined ? undefined : HIDDEN
  if (typeof value === 'string') return hideLogin(value)
  if (Array.isArray(value)) return value.map((each) => copy(each, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, copy(child, key === '' ? name : `${key}.${name}`)]),
  )
}

/** Matches the login of an address. In `abfss://container@account…` the part before the `@` is none: it has no colon. */
const LOGIN = /(https?:\/\/)([^/?#@\s,]+)@|([a-z][a-z0-9+.-]*:\/\/)([^/?#@\s,]*:[^/?#@\s,]*)@/gi
/** Matches a value in the query of an address. */
const QUERY_VALUE = /([?&][^=&#\s]*=)([^&#\s]+)/g

/** Returns addresses without their logins and without the values of their queries, which often are tokens or signatures. */
function hideLogin(text: string): string {
  if (!text.includes('://')) return text
  return text
    .replace(LOGIN, (_, web?: string, _login?: string, other?: string) => `${web ?? other ?? ''}${HIDDEN}@`)
    .replace(QUERY_VALUE, `$1${HIDDEN}`)
}

/** Returns the logins, their passwords and the values of queries in the addresses of a configuration. */
function secretsInAddresses(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(secretsInAddresses)
  if (typeof value !== 'string' || !value.includes('://')) return []
  const logins = [...value.matchAll(LOGIN)].flatMap(([, , web, , other]) => {
    const login = web ?? other ?? ''
    return [login, login.slice(login.indexOf(':') + 1)]
  })
  return [...logins, ...[...value.matchAll(QUERY_VALUE)].map(([, , found = '']) => found)]
}

/**
 * Creates a function that replaces every secret of the configuration in a text by `[secret]`, in its plain
 * form, as JSON, URL-encoded and as HTTP Basic credentials.
 */
export function createSecretRedactor(config: object): (text: string) => string {
  const options = SENSITIVE_KEYS.flatMap((key) => {
    const value = readKey(config, key)
    return typeof value !== 'string' || value.length < CHARACTERS_MIN
      ? []
      : [value, ...basicCredentialsOf(config, key, value)]
  })
  const forms = [...options, ...secretsInAddresses(config)]
    .filter((value) => value.length >= CHARACTERS_MIN)
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
  // Longer secrets first, because one may contain another.
  const secrets = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text)
}

/** Returns the password as HTTP Basic credentials together with its user name, if there is one. */
function basicCredentialsOf(config: object, key: string, password: string): readonly string[] {
  const username = readKey(config, key.replace(/[^.]*$/, 'username'))
  return typeof username === 'string' ? [Buffer.from(`${username}:${password}`).toString('base64')] : []
}

function readKey(config: object, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name],
      config,
    )
}
