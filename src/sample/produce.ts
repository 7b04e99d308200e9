import type { BadKind } from './bad-records.ts'
import type { SampleEvent } from './event.ts'
import { fullPace, type Pace } from './pace.ts'

/** What was produced. */
export interface Produced {
  readonly records: number
  /** Bytes of all values. */
  readonly bytes: number
  readonly bad: number
  readonly badByKind: ReadonlyMap<BadKind, number>
}

/** Before the first record. */
export const NOTHING_PRODUCED: Produced = { records: 0, bytes: 0, bad: 0, badByKind: new Map() }

/** Sends one batch and resolves when the broker has it. */
export type SendBatch = (batch: readonly SampleEvent[]) => Promise<unknown>

/** How events are sent; nothing is needed. */
export interface ProduceOptions {
  /** Told after each batch what the brokers have by then. */
  readonly onSent?: (produced: Produced) => void
  /** Default: as fast as they are taken. */
  readonly pace?: Pace
}

/** Records in one batch. Measured with one broker and two cores: the rate is the same from 1,000 on. */
const BATCH_RECORDS = 2_000

const NEVER = new AbortController().signal

/**
 * Sends events in their order until they or the pace are at an end, one batch at a time; the next one is made while it is
 * on its way. Resolves to what the brokers have. Rejects with the first error of `send`.
 */
export async function produceEvents(
  events: Iterable<SampleEvent>,
  send: SendBatch,
  options: ProduceOptions = {},
): Promise<Produced> {
  const { onSent = () => undefined, pace = fullPace(NEVER) } = options
  const tally = new Tally()
  const iterator = events[Symbol.iterator]()
  let underWay: Promise<unknown> = Promise.resolve()
  for (;;) {
    const batch = upTo(await pace.take(BATCH_RECORDS), iterator)
    await underWay
    if (batch.length === 0) break
    underWay = send(batch).then(() => {
      tally.add(batch)
      onSent(tally)
    })
    // The error is thrown where the promise is awaited, later; until then it must not count as unhandled.
    underWay.catch(() => undefined)
  }
  return tally
}

/** The next `count` events, fewer at the end. */
function upTo(count: number, events: Iterator<SampleEvent>): SampleEvent[] {
  const batch: SampleEvent[] = []
  while (batch.length < count) {
    const next = events.next()
    if (next.done === true) break
    batch.push(next.value)
  }
  return batch
}

class Tally implements Produced {
  records = 0
  bytes = 0
  bad = 0
  readonly badByKind = new Map<BadKind, number>()

  add(batch: readonly SampleEvent[]): void {
    this.records += batch.length
    for (const { value, bad } of batch) {
      this.bytes += value.length
      if (bad === undefined) continue
      this.bad++
      this.badByKind.set(bad, (this.badByKind.get(bad) ?? 0) + 1)
    }
  }
}
