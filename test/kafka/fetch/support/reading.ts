import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { valueOf } from '../../../../src/core/raw.ts'
import { createFetcher } from '../../../../src/kafka/fetch/fetcher.ts'
import type {
  FetchedRecords,
  FetchEvent,
  Fetcher,
  FetcherOptions,
} from '../../../../src/kafka/fetch/fetch-options.ts'
import { fastClock } from './fake-cluster.ts'

/** A running fetcher and its output. */
export interface FetchReading {
  readonly fetcher: Fetcher
  readonly fetched: FetchedRecords[]
  readonly events: FetchEvent[]
  /** Values of a partition, in order of delivery. */
  readonly values: (topic: string, partition: number) => string[]
  /** The events of a kind. */
  readonly eventsOf: <K extends FetchEvent['kind']>(kind: K) => Extract<FetchEvent, { kind: K }>[]
}

/** Starts a fetcher that accepts all records, unless `deliver` is given. */
export function startReading(
  cluster: FetcherOptions['cluster'],
  options: Partial<FetcherOptions> = {},
): FetchReading {
  const fetched: FetchedRecords[] = []
  const events: FetchEvent[] = []
  const fetcher = createFetcher({
    cluster,
    isolation: 'read_committed',
    clock: fastClock,
    fetchWaitMs: 200,
    onEvent: (event) => events.push(event),
    ...options,
    deliver: (each) => {
      fetched.push(each)
      return options.deliver?.(each)
    },
  })
  return {
    fetcher,
    fetched,
    events,
    values: (topic, partition) =>
      fetched
        .filter((each) => each.topic === topic && each.partition === partition)
        .flatMap(({ raw }) =>
          Array.from({ length: raw.count }, (_, i) => Buffer.from(valueOf(raw, i) ?? []).toString()),
        ),
    eventsOf: (kind) => events.filter((event) => event.kind === kind) as never,
  }
}

/** Resolves once a condition holds. The time limit only ends a test that would hang. */
export async function until(holds: () => boolean, name = String(holds)): Promise<void> {
  for (const endMs = Date.now() + 10_000; !holds();) {
    assert.ok(Date.now() < endMs, `expected in time: ${name}`)
    await sleep(2)
  }
}
