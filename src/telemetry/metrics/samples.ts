import { systemClock, type Clock } from '../../core/clock.ts'
import { ExactNumber } from '../../core/exact.ts'

/** Maximum characters of a text that are shown. */
const TEXT_CHARS_MAX = 64
const ITEMS_MAX = 10
const FIELDS_MAX = 100
const DEPTH_MAX = 6
const HIDDEN = '[masked]'

/** Matches names of fields that hold secrets, after lower-casing and removing separators. */
const SECRET =
  /pass(wd|word|phrase|code)?$|secret|token|apikey|accesskey|privatekey|credential|authorization|cookie|^pin$|cvv|cvc|signature/

/**
 * Returns a copy of a row for people to read, with values, depth and length cut and secrets hidden. `mask` contains field
 * names, which are hidden everywhere, and dotted paths, which hide one field (paths ignore lists); case does not matter.
 * Fields whose name indicates a secret are always hidden.
 */
export function maskRow(row: object, mask: readonly string[]): Record<string, unknown> {
  const hidden = new Set(mask.map((each) => each.toLowerCase()))
  const fields = (value: object, path: string, depth: number): Record<string, unknown> => {
    const entries = value instanceof Map ? [...value] : Object.entries(value)
    const shown = entries.slice(0, FIELDS_MAX).map(([key, each]): [string, unknown] => {
      const name = String(key)
      const lower = name.toLowerCase()
      const at = path === '' ? lower : `${path}.${lower}`
      const isSecret = SECRET.test(lower.replace(/[^a-z0-9]/g, ''))
      if (hidden.has(lower) || hidden.has(at) || isSecret) return [cut(name), each === null ? null : HIDDEN]
      return [cut(name), shownOf(each, at, depth)]
    })
    if (entries.length > FIELDS_MAX) shown.push(['…', `${entries.length - FIELDS_MAX} more`])
    return Object.fromEntries(shown)
  }
  const shownOf = (value: unknown, path: string, depth: number): unknown => {
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
    if (typeof value === 'string') return cut(value)
    if (typeof value === 'bigint') return String(value)
    if (value instanceof Uint8Array) return `${value.length} bytes`
    if (typeof value !== 'object') return typeof value
    if (depth >= DEPTH_MAX) return '…'
    if (!Array.isArray(value)) {
      if (value instanceof ExactNumber) return cut(value.text)
      return fields(value, path, depth + 1)
    }
    const items = value.slice(0, ITEMS_MAX).map((item) => shownOf(item, path, depth + 1))
    return value.length > ITEMS_MAX ? [...items, `… ${value.length - ITEMS_MAX} more`] : items
  }
  return fields(row, '', 0)
}

function cut(text: string): string {
  return text.length <= TEXT_CHARS_MAX
    ? text
    : `${text.slice(0, TEXT_CHARS_MAX)}… (${text.length} characters)`
}

const MINUTE_MS = 60_000

/** Allows `perMinute` samples a minute, evenly spaced: the first immediately, each further one after its share of the minute. */
export class SampleLimiter {
  readonly #everyMs: number
  readonly #clock: Clock
  #nextMs = -Infinity

  constructor(perMinute: number, clock: Clock = systemClock) {
    this.#everyMs = MINUTE_MS / perMinute
    this.#clock = clock
  }

  /** Takes a sample if one is allowed now; returns whether it did. */
  tryTake(): boolean {
    const nowMs = this.#clock.now()
    if (nowMs < this.#nextMs) return false
    this.#nextMs = nowMs + this.#everyMs
    return true
  }
}
