import type { BadKind } from './bad-records.ts'
import type { UserEvent } from './user-events.ts'

/** What was produced. */
export interface Produced {
  readonly records: number
  /** Bytes of all values. */
  readonly bytes: number
  readonly bad: number
  readonly badByKind: ReadonlyMap<BadKind, number>
}

/** Sends one batch and resolves when the broker has it. */
export type SendBatch = (batch: readonly UserEvent[]) => Promise<unknown>

/** Records in one batch. Measured with kafkajs, one broker and two cores: 35,000 records a second, gzip or not, also with 500. */
const BATCH_RECORDS = 5_000
/** Batches on their way while the next one is made. */
const IN_FLIGHT_MAX = 2

/**
 * Sends all events in their order and tells after each batch how many are sent. At most two batches are under way.
 * Rejects with the first error of `send`.
 */
export async function produceEvents(
  events: Iterable<UserEvent>,
  send: SendBatch,
  onSent: (records: number) => void = () => undefined,
): Promise<Produced> {
  const badByKind = new Map<BadKind, number>()
  const inFlight: Promise<unknown>[] = []
  let batch: UserEvent[] = []
  let records = 0
  let sent = 0
  let bytes = 0
  const flush = async (): Promise<void> => {
    const size = batch.length
    const sending = send(batch).then(() => {
      sent += size
      onSent(sent)
    })
    // The error is thrown where the promise is awaited, later; until then it must not count as unhandled.
    sending.catch(() => undefined)
    inFlight.push(sending)
    batch = []
    if (inFlight.length >= IN_FLIGHT_MAX) await inFlight.shift()
  }
  for (const event of events) {
    batch.push(event)
    records++
    bytes += event.value.length
    if (event.bad !== undefined) badByKind.set(event.bad, (badByKind.get(event.bad) ?? 0) + 1)
    if (batch.length === BATCH_RECORDS) await flush()
  }
  if (batch.length > 0) await flush()
  await Promise.all(inFlight)
  const bad = [...badByKind.values()].reduce((sum, count) => sum + count, 0)
  return { records, bytes, bad, badByKind }
}
