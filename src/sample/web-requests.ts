import type { ByteSink } from '../kafka/produce/byte-sink.ts'
import { encoded, generateEvents, pick, writeIsoTimestamp } from './event.ts'
import type { SampleEvent, SampleKind, SampleOptions } from './event.ts'

const METHODS = encoded(['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'])
const STATUSES = encoded(['200', '200', '200', '200', '200', '204', '304', '301', '404', '500'])
const PATHS = encoded([
  '/',
  '/search?q=Gr%C3%BC%C3%9Fe',
  '/products/',
  '/cart',
  '/login',
  '/static/app.js',
  '/api/v1/',
  '/',
])
const CORRUPTIBLE_FIELDS = {
  integer: 'status',
  required: 'session_id',
  word: 'method',
  time: 'timestamp',
  text: 'url',
  last: 'uuid',
} as const

/** Writes the JSON of web requests, and names the fields that bad ones corrupt. */
export const WEB_REQUESTS: SampleKind = { write, corruptibleFields: CORRUPTIBLE_FIELDS }

/**
 * Generates web requests with the fields of kafka-delta-ingest's example and of `schemas/web-requests.schema.json`,
 * about 230 bytes of JSON each. Deterministic.
 */
export function generateWebRequests(options: SampleOptions): Generator<SampleEvent> {
  return generateEvents(WEB_REQUESTS, options)
}

const NAMES = encoded([
  '{"meta":{"producer":{"timestamp":"',
  '"}},"method":"',
  '","session_id":"session-',
  '","status":',
  ',"url":"https://www.example.com',
  '","body_bytes_sent":',
  ',"uuid":"',
  '"}',
])
/** Position of `/products/` among the paths. */
const PRODUCTS = 2

function write(json: ByteSink, id: ByteSink, atMs: number, first: number, second: number): void {
  const path = (first >>> 3) & 7
  json.raw(pick(NAMES, 0))
  writeIsoTimestamp(json, atMs)
  json.raw(pick(NAMES, 1))
  json.raw(pick(METHODS, first & 7))
  json.raw(pick(NAMES, 2))
  json.digits((first >>> 6) % 100_000)
  json.raw(pick(NAMES, 3))
  json.raw(pick(STATUSES, second % 10))
  json.raw(pick(NAMES, 4))
  json.raw(pick(PATHS, path))
  if (path === PRODUCTS) json.digits(second % 10_000)
  json.raw(pick(NAMES, 5))
  json.digits(second % 65_536)
  json.raw(pick(NAMES, 6))
  json.raw(id.bytes, id.length)
  json.raw(pick(NAMES, 7))
}
