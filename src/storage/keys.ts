import { PipelineError } from '../core/errors.ts'

/**
 * Refuses a key that is not a plain relative path: empty, absolute, with an empty, `.` or `..` segment, or a zero byte.
 * What holds for one store then holds for all, and no key leaves the root.
 * @throws KD_STORE_FAILED
 */
export function checkKey(key: string): void {
  const segments = key.split('/')
  if (key.includes('\0') || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw new PipelineError('KD_STORE_FAILED', 'the key is not a plain relative path', { key })
}

/** Like `checkKey` for the prefix of a listing, which may be empty or end within a segment or with a slash. */
export function checkPrefix(prefix: string): void {
  const whole = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (whole !== '') checkKey(whole.slice(0, -1))
}

/**
 * Compares two keys by the bytes of their UTF-8: the order of every listing. It differs from the order of JavaScript
 * strings where a character outside of the basic plane meets one of U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Where a UTF-16 unit stands among others in the order of UTF-8: surrogates come last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
