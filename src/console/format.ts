/** Stands for what is unknown. */
export const DASH = '–'

/** Returns a number with separators of thousands, or a dash. */
export function count(value: number | string | null): string {
  if (value === null) return DASH
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}

/** Returns a number in four characters or so: `812`, `8.1k`, `3.4M`. */
export function short(value: number | null): string {
  if (value === null) return DASH
  const units = ['', 'k', 'M', 'G', 'T']
  let unit = 0
  let rest = value
  while (Math.abs(rest) >= 1_000 && unit < units.length - 1) {
    rest /= 1_000
    unit++
  }
  const digits = unit > 0 && Math.abs(rest) < 100 ? 1 : 0
  return `${rest.toFixed(digits)}${units[unit] ?? ''}`
}

/** Returns a size: `812 B`, `8.1 MB`. */
export function sizeText(value: number | null): string {
  if (value === null) return DASH
  const text = short(value)
  return /\d$/.test(text) ? `${text} B` : `${text.slice(0, -1)} ${text.slice(-1)}B`
}

/** Returns a length of time: `840 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return DASH
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 20_000 ? 1 : 0)} s`
  const pairs = [
    [86_400, 'd', 3_600, 'h'],
    [3_600, 'h', 60, 'min'],
    [60, 'min', 1, 's'],
  ] as const
  const seconds = Math.floor(ms / 1_000)
  for (const [large, largeName, small, smallName] of pairs) {
    if (seconds < large) continue
    const rest = Math.floor((seconds % large) / small)
    const whole = `${Math.floor(seconds / large)} ${largeName}`
    return rest === 0 ? whole : `${whole} ${rest} ${smallName}`
  }
  return `${seconds} s`
}

/** Returns the time of the day, with the date when it is another one than that of `nowMs`. */
export function clock(atMs: number | null, nowMs: number): string {
  if (atMs === null) return DASH
  const at = new Date(atMs)
  const time = at.toLocaleTimeString('en-GB', { hour12: false })
  return at.toDateString() === new Date(nowMs).toDateString()
    ? time
    : `${at.toISOString().slice(5, 10)} ${time}`
}

/** Returns a share in percent. */
export function percent(share: number | null): string {
  return share === null ? DASH : `${Math.round(share * 100)} %`
}
