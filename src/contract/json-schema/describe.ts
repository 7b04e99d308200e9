import type { ErrorObject } from 'ajv'
import { ExactNumber } from '../../core/exact.ts'

const VALUE_CHARS_MAX = 100
const POINTER_CHARS_MAX = 200

/** Returns one line for the first rule that a row violates: JSON pointer, expectation, actual value. */
export function describeValidationError(error: ErrorObject): string {
  const pointer = oneLine(cut(error.instancePath === '' ? '/' : error.instancePath, POINTER_CHARS_MAX))
  return `${pointer} ${expected(error)}, got ${previewJson(error.data)}`
}

function expected(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  const allowed = params['allowedValues'] ?? params['allowedValue']
  if (allowed !== undefined)
    return `must be ${Array.isArray(allowed) ? 'one of ' : ''}${previewJson(allowed)}`
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty'] ?? params['propertyName']
  const message = error.message ?? `must pass ${error.keyword}`
  return typeof extra === 'string' ? `${message} (${previewJson(extra)})` : message
}

/**
 * Returns a value as one line of JSON with at most 100 characters; `…` marks the omitted part. Safe for values of any
 * size and depth, for `bigint` and for `ExactNumber`.
 */
function previewJson(value: unknown): string {
  return oneLine(cut(preview(value, VALUE_CHARS_MAX), VALUE_CHARS_MAX))
}

function preview(value: unknown, room: number): string {
  if (room <= 0) return '…'
  if (typeof value === 'string') {
    return value.length > room ? `${JSON.stringify(value.slice(0, room))}…` : JSON.stringify(value)
  }
  if (typeof value === 'bigint') return String(value)
  if (value instanceof ExactNumber) return value.text
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
