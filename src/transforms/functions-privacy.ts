import { createHash, createHmac, type KeyObject } from 'node:crypto'
import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { toDouble, isNumber } from '../jmespath/numbers.ts'
import { scalarToText } from './functions-text.ts'

/** Well-known UUID namespaces. RFC 9562, section 6.6. */
const NAMESPACES: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
}

/** Returns the hash of salt and value, in UTF-8, as lower-case hex digits. */
function hashed(algorithm: string): ExpressionFunction {
  return ([value, salt = '']) =>
    createHash(algorithm)
      .update((salt as string) + scalarToText(value))
      .digest('hex')
}

/** Returns the bytes of a namespace, given as a well-known name or as a UUID. Throws for any other text. */
export function uuidNamespaceOf(text: string): Buffer {
  const uuid = NAMESPACES[text] ?? text
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid))
    throw new Error(`the namespace must be one of ${Object.keys(NAMESPACES).join(', ')}, or a UUID`)
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

function uuidV5([name, namespace]: readonly unknown[]): string {
  const bytes = createHash('sha1')
    .update(uuidNamespaceOf(namespace as string))
    .update(scalarToText(name))
    .digest()
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join('-')
}

/**
 * Replaces all characters but the last `keep` by stars; when there are not more than `keep` characters, replaces all.
 */
function mask([value, keep = 0]: readonly unknown[]): string {
  const characters = Array.from(scalarToText(value))
  const kept = isNumber(keep) ? Math.max(0, Math.trunc(toDouble(keep))) : 0
  const hidden = kept < characters.length ? characters.length - kept : characters.length
  return '*'.repeat(hidden) + characters.slice(hidden).join('')
}

function maskEmail([text]: readonly unknown[]): string {
  const at = (text as string).lastIndexOf('@')
  return at <= 0 ? '***' : `${Array.from(text as string)[0] ?? ''}***${(text as string).slice(at)}`
}

/** Returns the functions that hide personal data. `keys` holds the keys of `hmac_sha256` by name. */
export function createPrivacyFunctions(
  keys: ReadonlyMap<string, KeyObject>,
): Readonly<Record<string, ExpressionFunction>> {
  return {
    sha256: hashed('sha256'),
    sha512: hashed('sha512'),
    md5: hashed('md5'),
    hmac_sha256: ([value, name]) => {
      const key = keys.get(name as string)
      if (key === undefined) throw new Error(`there is no hash key ${JSON.stringify(name)}`)
      return createHmac('sha256', key).update(scalarToText(value)).digest('hex')
    },
    uuid_v5: uuidV5,
    mask,
    mask_email: maskEmail,
  }
}
