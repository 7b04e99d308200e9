import { randomUUID } from 'node:crypto'
import { ExactNumber, WholeFraction } from '../../core/exact.ts'

/**
 * Matches numbers that may be integers written with a fraction or an exponent, and numbers that a double may not hold.
 * Matches within strings only cost time.
 */
const FRACTION = /\d(?:\.0+(?!\d)|[eE])|(?:\d\.?){16}/
/**
 * Matches numbers that a double may not hold: 16 digits or more, or an exponent of three digits. Matches within
 * strings only cost time.
 */
const SUSPECT = /(?:\d\.?){16}|[eE][+-]?\d{3}/
/** Levels of nested objects and arrays in one value. */
const DEPTH_MAX = 1_000
const TOKEN = /"|-?\d[\d.eE+-]*/g
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Key of the object that wraps a number during `JSON.parse`; random, so that no message can contain it. */
const MARK = `exact-${randomUUID()}`

/**
 * Parses JSON like `JSON.parse`, but keeps numbers exact that a double cannot hold: integers become `bigint`, others
 * `ExactNumber`. With `keepFractions`, integers written with a fraction or an exponent, such as `1.0`, become
 * `ExactNumber` as well. Throws what `JSON.parse` throws, and a RangeError for more than 1,000 nested levels: whatever walks
 * over the value later may recurse.
 */
export function parseExact(
  text: string,
  { keepFractions = false }: { readonly keepFractions?: boolean } = {},
): unknown {
  checkDepth(text)
  if (!(keepFractions ? FRACTION : SUSPECT).test(text)) return JSON.parse(text)
  const marked = markInexact(text, keepFractions)
  if (marked === text) return JSON.parse(text)
  return JSON.parse(marked, (_, value: unknown) => unwrapped(value))
}

/** Throws when objects and arrays are nested too deeply. Text with fewer brackets than that, nearly all, is not scanned. */
function checkDepth(text: string): void {
  if (text.length <= DEPTH_MAX || !hasBrackets(text)) return
  const tokens = /["[\]{}]/g
  let depth = 0
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match
    if (token === '"') tokens.lastIndex = endOfString(text, tokens.lastIndex)
    else if (token === ']' || token === '}') depth--
    else if (++depth > DEPTH_MAX) throw new RangeError('expected at most 1,000 nested levels, got more')
  }
}

/** Returns true when the text has more opening brackets, those in strings included, than levels are allowed. */
function hasBrackets(text: string): boolean {
  let count = 0
  for (const bracket of '[{')
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (++count > DEPTH_MAX) return true
  return false
}

/** Returns the text with every number that must stay exact wrapped in an object with the marker key. */
function markInexact(text: string, keepFractions: boolean): string {
  const tokens = new RegExp(TOKEN)
  let marked = ''
  let from = 0
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match
    if (token === '"') tokens.lastIndex = endOfString(text, tokens.lastIndex)
    else if (!isExact(token) || (keepFractions && isWholeFraction(token))) {
      marked += `${text.slice(from, match.index)}{"${MARK}":"${token}"}`
      from = tokens.lastIndex
    }
  }
  return from === 0 ? text : marked + text.slice(from)
}

/**
 * Returns the position after the closing quote. This is a loop, because a regular expression exhausts its stack at
 * about 10 million characters.
 */
function endOfString(text: string, at: number): number {
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/**
 * Returns true when `JSON.parse` keeps the number. Text that is not a JSON number is left for `JSON.parse` to refuse.
 */
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
  if (/^-?\d+$/.test(token)) return BigInt(token)
  // Only `keepFractions` keeps a number that a double holds.
  return isExact(token) ? new WholeFraction(token) : new ExactNumber(token)
}
