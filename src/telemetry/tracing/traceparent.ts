import { isSpanContextValid, type Link } from '@opentelemetry/api'

/** The SDK keeps at most this many links of a span. */
export const LINKS_MAX = 128

/** A link to the producer whose `traceparent` header this is; `undefined` when the header is none. Spec: W3C Trace Context, "traceparent Header". */
export function linkOf(traceparent: string): Link | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent.trim())
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match ?? []
  // Version 00 ends after the flags; later ones may say more behind them.
  if (match === null || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(context) ? { context } : undefined
}

/** At most `countMax` of `items`, evenly spaced, the first and the last among them; their order is kept. */
export function sample<T>(items: readonly T[], countMax: number): readonly T[] {
  if (items.length <= countMax) return items
  const step = (items.length - 1) / (countMax - 1)
  return items.filter((_, index) => index === Math.round(Math.round(index / step) * step))
}
