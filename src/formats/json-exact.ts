import { randomUUID } from 'node:crypto'
import { Exact } from '../core/exact.ts'

/** A number that a double may not hold: 16 digits or more, or an exponent of three digits. Matches in strings cost time, no more. */
const SUSPECT = /(?:\d\.?){16}|[eE][+-]?\d{3}/
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Wraps a number while it passes through `JSON.parse`; random, so that no message can hold it. */
const MARK = `exact-${randomUUID()}`

/**
 * `JSON.parse`, but numbers that a double does not hold exactly stay exact: integers become `bigint`, others `Exact`.
 * Throws what `JSON.parse` throws.
 */
export function parseExact(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text)
  let wrapped = 0
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || isExact(token)) return token
    wrapped++
    return `{"${MARK}":"${token}"}`
  })
  if (wrapped === 0) return JSON.parse(text)
  return JSON.parse(marked, (_, value: unknown) => unwrapped(value))
}

/** Whether the plain parse is as good; text that is no JSON number at all is left for `JSON.parse` to refuse. */
function isExact(token: string): boolean {
  if (!JSON_NUMBER.test(token)) return true
  const number = Number(token)
  if (!Number.isFinite(number)) return false
  const digits = token
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
  if (digits.length <= 15) return true
  return Number.isSafeInteger(number) && /^-?\d+$/.test(token)
}

function unwrapped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, MARK)) return value
  const token = (value as Record<string, string>)[MARK] as string
  return /^-?\d+$/.test(token) ? BigInt(token) : new Exact(token)
}
