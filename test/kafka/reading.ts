import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch, Provenance } from '../../src/core/batch.ts'
import { Credit } from '../../src/core/credit/credit.ts'
import type { Raw } from '../../src/core/raw.ts'
import { createSource } from '../../src/kafka/source/consumer-source.ts'
import type { KafkaSource, SourceEvent, SourceOptions } from '../../src/kafka/source/source-options.ts'
import { nameForTests } from '../support/servers/servers.ts'
import type { TestTopic } from './topic.ts'

/** Holds a running source and its results. */
export interface Reading {
  readonly source: KafkaSource
  readonly credit: Credit
  /** The offsets that `resume` returns, in place of a table. */
  readonly txns: Map<number, bigint>
  readonly batches: Batch<Raw>[]
  readonly events: SourceEvent[]
  /** Resolves when `batches` completes, rejects with its error. */
  readonly done: Promise<void>
  /** Values read of a partition, in order. */
  readonly values: (partition: number) => string[]
}

/** Starts a source on a topic. Every batch is "committed" immediately unless `hold`. */
export function read(
  topic: TestTopic,
  options: Partial<SourceOptions> & { hold?: boolean; txns?: Map<number, bigint> } = {},
): Reading {
  const txns = options.txns ?? new Map<number, bigint>()
  const credit = options.credit ?? new Credit(64 * 1024 * 1024)
  const events: SourceEvent[] = []
  const batches: Batch<Raw>[] = []
  const source = createSource({
    brokers: topic.brokers,
    clientId: 'test',
    groupId: nameForTests('group'),
    topic: topic.topic,
    startFrom: 'earliest',
    resume: (partition) => Promise.resolve(txns.get(partition)),
    credit,
    costBytes: (raw) => raw.bytes.length,
    until: 'latest',
    fetchWaitMsMax: 200,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const done = new Promise<void>((resolve, reject) => {
    source.batches.subscribe({
      next: (batch) => {
        batches.push(batch)
        if (options.hold === true) return
        txns.set(batch.provenance.partition, batch.provenance.last)
        credit.give(batch.provenance.bytes)
        void source.commitOffsets([batch.provenance])
      },
      complete: resolve,
      error: reject,
    })
  })
  // A test that expects an error awaits it later.
  done.catch(() => undefined)
  return { source, credit, txns, batches, events, done, values: (partition) => valuesOf(batches, partition) }
}

/** Runs a source to its end and closes it. */
export async function readToEnd(
  topic: TestTopic,
  options: Parameters<typeof read>[1] = {},
): Promise<Reading> {
  const reading = read(topic, options)
  try {
    await reading.done
  } finally {
    await reading.source.close()
  }
  return reading
}

/** Returns the ranges of a partition in order. */
export function rangesOf(reading: Reading, partition: number): Provenance[] {
  return reading.batches.map((batch) => batch.provenance).filter((one) => one.partition === partition)
}

/** Waits until `holds`, at most 60 s. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    if (await holds()) return
    await sleep(20)
  }
  throw new Error(`Did not come to pass within 60 s: ${what}`)
}

function valuesOf(batches: readonly Batch<Raw>[], partition: number): string[] {
  return batches
    .filter((batch) => batch.provenance.partition === partition)
    .flatMap(({ payload }) =>
      Array.from({ length: payload.count }, (_, i) =>
        Buffer.from(payload.bytes.subarray(payload.valueStart[i], payload.valueEnd[i])).toString(),
      ),
    )
}
