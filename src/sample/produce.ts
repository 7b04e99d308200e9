import type { BadRecordKind } from './bad-records.ts'
import type { Sender } from '../kafka/produce/sender.ts'
import type { OutgoingRecord } from '../kafka/produce/record-batch.ts'
import { createUnlimitedRate, type RateLimiter } from './rate-limiter.ts'

/** Holds the totals of produced records. */
export interface ProducedTotals {
  readonly records: number
  /** Bytes of all values. */
  readonly bytes: number
  readonly bad: number
  readonly badByKind: ReadonlyMap<BadRecordKind, number>
}

/** The totals before the first record. */
export const NOTHING_PRODUCED: ProducedTotals = { records: 0, bytes: 0, bad: 0, badByKind: new Map() }

/** Describes an event to send; one object may be used for several events, one after another. */
type ProducedEvent = OutgoingRecord & { readonly bad?: BadRecordKind | undefined }

/** Describes how events are sent. All options may be omitted. */
interface ProduceOptions {
  /** Called after each batch with the totals acknowledged so far. */
  readonly onSent?: (produced: ProducedTotals) => void
  /** Batches sent and not acknowledged yet; default: 1. */
  readonly inFlightMax?: number
  /** Default: no limit. */
  readonly rateLimiter?: RateLimiter
}

/** Records in one batch. Measured with one broker and two cores: the rate is the same from 1,000 on. */
const BATCH_RECORDS = 2_000

const NEVER = new AbortController().signal

/**
 * Sends events in order until the events or the rate limiter end. Up to `inFlightMax` batches are under way while the next
 * one is made. Resolves to the totals that the brokers have acknowledged. Rejects with the first error of the sender.
 */
export async function produceEvents(
  events: Iterable<ProducedEvent>,
  sender: Pick<Sender, 'append' | 'flush'>,
  options: ProduceOptions = {},
): Promise<ProducedTotals> {
  const { onSent = () => undefined, inFlightMax = 1, rateLimiter = createUnlimitedRate(NEVER) } = options
  const totals = new Tally()
  const iterator = events[Symbol.iterator]()
  const underWay: Promise<unknown>[] = []
  for (;;) {
    const count = await rateLimiter.acquire(BATCH_RECORDS)
    if (underWay.length >= inFlightMax) await underWay.shift()
    const batch = appendNext(count, iterator, sender)
    if (batch.records === 0) break
    const sent = sender.flush().then(() => {
      totals.add(batch)
      onSent(totals)
    })
    // The error surfaces where the promise is awaited, later; until then it must not count as unhandled.
    sent.catch(() => undefined)
    underWay.push(sent)
  }
  await Promise.all(underWay)
  return totals
}

/** Appends the next `count` events, fewer at the end. Returns their totals. */
function appendNext(
  count: number,
  events: Iterator<ProducedEvent>,
  sender: Pick<Sender, 'append'>,
): ProducedTotals {
  const batch = new Tally()
  while (batch.records < count) {
    const next = events.next()
    if (next.done === true) break
    sender.append(next.value)
    batch.count(next.value)
  }
  return batch
}

class Tally implements ProducedTotals {
  records = 0
  bytes = 0
  bad = 0
  readonly badByKind = new Map<BadRecordKind, number>()

  count({ value, bad }: ProducedEvent): void {
    this.records++
    if (value !== null) this.bytes += typeof value === 'string' ? Buffer.byteLength(value) : value.length
    if (bad === undefined) return
    this.bad++
    this.badByKind.set(bad, (this.badByKind.get(bad) ?? 0) + 1)
  }

  add({ records, bytes, bad, badByKind }: ProducedTotals): void {
    this.records += records
    this.bytes += bytes
    this.bad += bad
    for (const [kind, count] of badByKind) this.badByKind.set(kind, (this.badByKind.get(kind) ?? 0) + count)
  }
}
