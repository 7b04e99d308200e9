import { parsePath } from '../../../config/transforms/path.ts'
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
 * names, which are hidden everywhere, and paths, which hide one field (paths ignore lists); case does not matter. A name
 * with dots and a path of the same text hide both, unless the name is in quotes. Fields whose name indicates a secret are
 * always hidden.
 */
export function maskRow(row: object, mask: readonly string[]): Record<string, unknown> {
  const isMasked = createMask(mask)
  const fields = (value: object, path: readonly string[], depth: number): Record<string, unknown> => {
    const entries = value instanceof Map ? [...value] : Object.entries(value)
    const shown = entries.slice(0, FIELDS_MAX).map(([key, each]): [string, unknown] => {
      const name = String(key)
      const at = [...path, name.toLowerCase()]
      if (isMasked(at)) return [cut(name), each === null ? null : HIDDEN]
      return [cut(name), shownOf(each, at, depth)]
    })
    if (entries.length > FIELDS_MAX) shown.push(['…', `${entries.length - FIELDS_MAX} more`])
    return Object.fromEntries(shown)
  }
  const shownOf = (value: unknown, path: readonly string[], depth: number): unknown => {
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
  return fields(row, [], 0)
}

/** Returns a function that decides for the lower-case names of a field and of the objects around it. */
function createMask(mask: readonly string[]): (path: readonly string[]) => boolean {
  const names = new Set<string>()
  const paths = new Set<string>()
  for (const text of mask.map((each) => each.toLowerCase())) {
    // Text without quotes may be the whole name of a field.
    names.add(text)
    paths.add(text)
    const parsed = text.startsWith('"') || text.includes('."') ? parsePath(text) : undefined
    if (parsed === undefined || 'fault' in parsed) continue
    const [name, ...below] = parsed.names
    if (below.length === 0) names.add(name as string)
    else paths.add(JSON.stringify(parsed.names))
  }
  return (path) => {
    const name = path.at(-1) as string
    if (names.has(name) || SECRET.test(name.replace(/[^a-z0-9]/g, ''))) return true
    return paths.has(path.join('.')) || paths.has(JSON.stringify(path))
  }
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
