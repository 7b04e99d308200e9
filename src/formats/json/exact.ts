import { randomUUID } from 'node:crypto'
import { Exact } from '../../core/exact.ts'

/** A number that is written with a fraction or an exponent, or that a double may not hold. Matches in strings cost time, no more. */
const FRACTION = /\d[.eE]|(?:\d\.?){16}/
/** A number that a double may not hold: 16 digits or more, or an exponent of three digits. Matches in strings cost time, no more. */
const SUSPECT = /(?:\d\.?){16}|[eE][+-]?\d{3}/
const TOKEN = /"|-?\d[\d.eE+-]*/g
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Wraps a number while it passes through `JSON.parse`; random, so that no message can hold it. */
const MARK = `exact-${randomUUID()}`

/**
 * `JSON.parse`, but numbers that a double does not hold exactly stay exact: integers become `bigint`, others `Exact`. With
 * `fractions` so do whole numbers that are written with a fraction or an exponent, such as `1.0`.
 * Throws what `JSON.parse` throws.
 */
export function parseExact(
  text: string,
  { fractions = false }: { readonly fractions?: boolean } = {},
): unknown {
  if (!(fractions ? FRACTION : SUSPECT).test(text)) return JSON.parse(text)
  const marked = markInexact(text, fractions)
  if (marked === text) return JSON.parse(text)
  return JSON.parse(marked, (_, value: unknown) => unwrapped(value))
}

/** The text with every number that a double does not hold wrapped into an object with our mark. */
function markInexact(text: string, fractions: boolean): string {
  const tokens = new RegExp(TOKEN)
  let marked = ''
  let from = 0
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match
    if (token === '"') tokens.lastIndex = endOfString(text, tokens.lastIndex)
    else if (!isExact(token) || (fractions && isWholeFraction(token))) {
      marked += `${text.slice(from, match.index)}{"${MARK}":"${token}"}`
      from = tokens.lastIndex
    }
  }
  return from === 0 ? text : marked + text.slice(from)
}

/** The position after the closing quote. By a loop: a pattern for strings exhausts its stack at some 10 million characters. */
function endOfString(text: string, at: number): number {
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
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

function isWholeFraction(token: string): boolean {
  return /[.eE]/.test(token) && JSON_NUMBER.test(token) && Number.isInteger(Number(token))
}

function unwrapped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, MARK)) return value
  const token = (value as Record<string, string>)[MARK] as string
  return /^-?\d+$/.test(token) ? BigInt(token) : new Exact(token)
}
