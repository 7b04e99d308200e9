const DAY_S = 86_400

/** The calendar repeats after 400 years, including weekdays, and so do the rules of daylight saving time. */
const CYCLE_S = 146_097 * DAY_S

/** 1800-01-01. No recorded time zone changed its offset before. */
const SECONDS_MIN = -62_091 * DAY_S

/** 2500-01-01. Later instants are looked up a multiple of 400 years earlier. */
const SECONDS_MAX = 193_579 * DAY_S

/** Days of one page of the offset table. */
const PAGE_DAYS = 512

const PAGE_S = PAGE_DAYS * DAY_S

/** Half-open intervals, ascending: from `starts[i]` on, in seconds since the epoch, the offset is `offsets[i]`. */
interface Page {
  readonly starts: readonly number[]
  /** Seconds east of UTC. */
  readonly offsets: readonly number[]
}

/**
 * Looks up the UTC offsets of one time zone. The platform's calendar (`Intl`, with the IANA database) is queried once
 * for each day of a page of about 17 months, when an instant of that page first occurs, and with bisection to the
 * second on days when the offset changes. Every later instant is a table lookup. At most 500 pages are made,
 * with about 260,000 queries.
 */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat
  readonly #pages = new Map<number, Page>()
  /** The interval found last. Records mostly come in time order. */
  #start = 0
  #end = 0
  #offset = 0

  /** `timeZone` is a name that `Intl` knows. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  }

  /**
   * Returns the UTC offset at an instant, which is given in seconds since the epoch. The offset is in seconds,
   * positive east of UTC.
   */
  at(epochSeconds: number): number {
    const seconds = withinTable(epochSeconds)
    if (seconds >= this.#start && seconds < this.#end) return this.#offset
    const number = Math.floor((seconds - SECONDS_MIN) / PAGE_S)
    let page = this.#pages.get(number)
    if (page === undefined) this.#pages.set(number, (page = this.#pageAt(SECONDS_MIN + number * PAGE_S)))
    const { starts, offsets } = page
    let piece = starts.length - 1
    while ((starts[piece] as number) > seconds) piece--
    this.#start = starts[piece] as number
    this.#end = starts[piece + 1] ?? SECONDS_MIN + (number + 1) * PAGE_S
    this.#offset = offsets[piece] as number
    return this.#offset
  }

  #pageAt(start: number): Page {
    const starts = [start]
    const offsets = [this.#ask(start)]
    for (let day = 1; day <= PAGE_DAYS; day++) {
      const end = start + day * DAY_S
      const after = this.#ask(end)
      const before = offsets.at(-1) as number
      if (after === before) continue
      const change = this.#changeBetween(end - DAY_S, end, before)
      if (change === start + PAGE_S) break
      starts.push(change)
      offsets.push(after)
    }
    return { starts, offsets }
  }

  /** Returns the first second at which the offset differs from `before`. */
  #changeBetween(from: number, to: number, before: number): number {
    let [low, high] = [from, to]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#ask(middle) === before) low = middle
      else high = middle
    }
    return high
  }

  /** The formatted text ends with `GMT`, `GMT+01:00` or, before standard time, `GMT+00:53:28`. */
  #ask(seconds: number): number {
    const text = this.#format.format(seconds * 1000)
    const [, sign, hours, minutes, rest] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? []
    if (sign === undefined) return 0
    const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest ?? 0)
    return sign === '-' ? -offset : offset
  }
}

function withinTable(seconds: number): number {
  if (seconds < SECONDS_MIN) return SECONDS_MIN
  if (seconds < SECONDS_MAX) return seconds
  return seconds - Math.ceil((seconds - SECONDS_MAX + 1) / CYCLE_S) * CYCLE_S
}
