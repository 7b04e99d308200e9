import type { ErrorObject } from 'ajv'
import { Exact } from '../../core/exact.ts'

const VALUE_CHARS_MAX = 100
const POINTER_CHARS_MAX = 200

/** One line for the first rule that a row breaks: JSON pointer, what was expected, what was got. */
export function describeError(error: ErrorObject): string {
  const pointer = oneLine(cut(error.instancePath === '' ? '/' : error.instancePath, POINTER_CHARS_MAX))
  return `${pointer} ${expected(error)}, got ${shorten(error.data)}`
}

function expected(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  const allowed = params['allowedValues'] ?? params['allowedValue']
  if (allowed !== undefined) return `must be ${Array.isArray(allowed) ? 'one of ' : ''}${shorten(allowed)}`
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty'] ?? params['propertyName']
  const message = error.message ?? `must pass ${error.keyword}`
  return typeof extra === 'string' ? `${message} (${shorten(extra)})` : message
}

/**
 * A value as JSON text of at most 100 characters and one line, `…` where it was cut; safe for values of any size and
 * depth, for `bigint` and for `Exact`.
 */
export function shorten(value: unknown): string {
  return oneLine(cut(preview(value, VALUE_CHARS_MAX), VALUE_CHARS_MAX))
}

function preview(value: unknown, room: number): string {
  if (room <= 0) return '…'
  if (typeof value === 'string') {
    return value.length > room ? `${JSON.stringify(value.slice(0, room))}…` : JSON.stringify(value)
  }
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Exact) return value.text
  if (typeof value !== 'object' || value === null) return String(value)
  const list = Array.isArray(value)
  let text = list ? '[' : '{'
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue
    if (text.length > 1) text += ','
    if (text.length >= room) return `${text}…`
    if (!list) text += `${preview(key, room - text.length)}:`
    text += preview((value as Record<string, unknown>)[key], room - text.length - 1)
  }
  return text + (list ? ']' : '}')
}

function cut(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars - 1)}…` : text
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ')
}
