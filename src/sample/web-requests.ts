import { generateEvents, formatIsoTimestamp, pick } from './event.ts'
import type { SampleEvent, SampleOptions } from './event.ts'

const METHODS = ['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const STATUSES = ['200', '200', '200', '200', '200', '204', '304', '301', '404', '500']
const PATHS = [
  '/',
  '/search?q=Gr%C3%BC%C3%9Fe',
  '/products/',
  '/cart',
  '/login',
  '/static/app.js',
  '/api/v1/',
  '/',
]
const CORRUPTIBLE_FIELDS = {
  integer: 'status',
  required: 'session_id',
  word: 'method',
  time: 'timestamp',
  text: 'url',
  last: 'uuid',
} as const

/**
 * Generates web requests with the fields of kafka-delta-ingest's example and of `schemas/web-requests.schema.json`,
 * about 230 bytes of JSON each. Deterministic.
 */
export function generateWebRequests(options: SampleOptions): Generator<SampleEvent> {
  return generateEvents({ toJson: requestJson, corruptibleFields: CORRUPTIBLE_FIELDS }, options)
}

function requestJson(id: string, atMs: number, first: number, second: number): string {
  const path = pick(PATHS, (first >>> 3) & 7)
  const product = path.endsWith('s/') ? String(second % 10_000) : ''
  return (
    `{"meta":{"producer":{"timestamp":"${formatIsoTimestamp(atMs)}"}},"method":"${pick(METHODS, first & 7)}",` +
    `"session_id":"session-${(first >>> 6) % 100_000}","status":${pick(STATUSES, second % 10)},` +
    `"url":"https://www.example.com${path}${product}","body_bytes_sent":${second % 65_536},"uuid":"${id}"}`
  )
}
