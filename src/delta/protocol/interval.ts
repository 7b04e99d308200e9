const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

/**
 * Parses a duration of a table property (`interval 1 week`, `30 days 12 hours`) to milliseconds. Returns `absent` for
 * `undefined`, and `Infinity` for text that cannot be parsed, because retaining files for too long is harmless. Spec:
 * "Table Properties".
 */
export function parseIntervalMs(text: string | undefined, absent: number): number {
  if (text === undefined) return absent
  const words = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, '')
    .split(/\s+/)
  if (words.length % 2 !== 0) return Infinity
  let sum = 0
  for (let i = 0; i < words.length; i += 2) {
    const unit = UNIT_MS[(words[i + 1] ?? '').replace(/s$/, '')]
    const count = words[i] ?? ''
    if (unit === undefined || !/^\d{1,9}$/.test(count)) return Infinity
    sum += Number(count) * unit
  }
  return sum
}
