import type { ByteSink } from '../kafka/produce/byte-sink.ts'
import { encoded, generateEvents, pick, writeIsoTimestamp } from './event.ts'
import type { SampleEvent, SampleKind, SampleOptions } from './event.ts'

const EVENT_TYPES = encoded([
  'page_view',
  'page_view',
  'page_view',
  'page_view',
  'search',
  'add_to_cart',
  'purchase',
  'sign_up',
])
const COUNTRIES = encoded(['DE', 'FR', 'US', 'GB', 'PL', 'ES', 'BR', 'JP'])
const PAGES = encoded([
  '/',
  '/search',
  '/products/',
  '/cart',
  '/checkout',
  '/account',
  '/products/',
  '/products/',
])
const REFERRERS = encoded(['null', 'null', 'null', '"https://search.example/"'])
const TAGS = encoded(['["web"]', '["web","new"]', '["app"]', '["app","Grüße"]', '[]'])
const CORRUPTIBLE_FIELDS = {
  integer: 'user_id',
  required: 'event_type',
  word: 'event_type',
  time: 'timestamp',
  text: 'page',
  last: 'tags',
} as const

/** Writes the JSON of user events, and names the fields that bad ones corrupt. */
export const USER_EVENTS: SampleKind = { write, corruptibleFields: CORRUPTIBLE_FIELDS }

/**
 * Generates user events that match `schemas/user-events.schema.json`, about 230 bytes of JSON each, in the order of
 * their number. Deterministic; about a million a second on one core.
 */
export function generateUserEvents(options: SampleOptions): Generator<SampleEvent> {
  return generateEvents(USER_EVENTS, options)
}

const [ID, USER, TYPE, TIME, COUNTRY, AMOUNT, PAGE, REFERRER, TAG_LIST] = encoded([
  '{"event_id":"',
  '","user_id":',
  ',"event_type":"',
  '","timestamp":"',
  '","country":"',
  '","amount":',
  ',"properties":{"page":"',
  '","referrer":',
  '},"tags":',
]) as readonly [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const NULL = Buffer.from('null')
const PURCHASE = 6
const [DOT, CLOSE] = [0x2e, 0x7d] as const
/** Positions of `/products/` among the pages. */
const PRODUCTS: readonly boolean[] = [false, false, true, false, false, false, true, true]

function write(json: ByteSink, id: ByteSink, atMs: number, first: number, second: number): void {
  const page = (first >>> 3) & 7
  json.raw(ID)
  json.raw(id.bytes, id.length)
  json.raw(USER)
  json.digits(first % 1_000_000)
  json.raw(TYPE)
  json.raw(pick(EVENT_TYPES, first & 7))
  json.raw(TIME)
  writeIsoTimestamp(json, atMs)
  json.raw(COUNTRY)
  json.raw(pick(COUNTRIES, (first >>> 6) & 7))
  json.raw(AMOUNT)
  if ((first & 7) === PURCHASE) {
    json.digits(second % 500)
    json.byte(DOT)
    json.pair(10 + ((second >>> 9) % 90))
  } else json.raw(NULL)
  json.raw(PAGE)
  json.raw(pick(PAGES, page))
  if (PRODUCTS[page] === true) json.digits(second % 10_000)
  json.raw(REFERRER)
  json.raw(pick(REFERRERS, (first >>> 9) & 3))
  json.raw(TAG_LIST)
  json.raw(pick(TAGS, (second >>> 16) % 5))
  json.byte(CLOSE)
}
