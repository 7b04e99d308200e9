import { isSpanContextValid, type Link } from '@opentelemetry/api'

/** Maximum number of links that the SDK keeps per span. */
export const LINKS_MAX = 128

/**
 * Returns a span link to the producer that sent a `traceparent` header, or `undefined` if the header is invalid.
 * Spec: W3C Trace Context, "traceparent Header".
 */
export function spanLinkOf(traceparent: string): Link | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent.trim())
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match ?? []
  // Version 00 ends after the flags; later versions may have further fields.
  if (match === null || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return isSpanContextValid(context) ? { context } : undefined
}

/** Returns at most `countMax` evenly spaced items in their order, including the first and the last. */
export function sampleEvenly<T>(items: readonly T[], countMax: number): readonly T[] {
  if (items.length <= countMax) return items
  const step = (items.length - 1) / (countMax - 1)
  return items.filter((_, index) => index === Math.round(Math.round(index / step) * step))
}
