import { PipelineError } from '../core/errors.ts'

/**
 * Refuses keys that are not plain relative paths: empty, absolute, with an empty, `.` or `..` segment, or with a zero
 * byte. All stores then accept the same keys, and no key leaves the root.
 * @throws KD_STORE_FAILED
 */
export function checkKey(key: string): void {
  const segments = key.split('/')
  if (key.includes('\0') || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw new PipelineError('KD_STORE_FAILED', 'the key is not a plain relative path', { key })
}

/** Refuses prefixes of listings by the rules of `checkKey`; a prefix may be empty, or end within a segment or with a slash. */
export function checkPrefix(prefix: string): void {
  const whole = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (whole !== '') checkKey(whole.slice(0, -1))
}

/**
 * Compares two keys by their UTF-8 bytes, the order of every listing. It differs from the order of JavaScript strings for
 * characters outside the basic multilingual plane compared with U+E000 to U+FFFF.
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

/** Returns the rank of a UTF-16 code unit in UTF-8 order: surrogates are last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
