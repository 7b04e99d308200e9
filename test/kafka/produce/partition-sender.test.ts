// Goal: whatever fails, each batch is stored once and in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../src/core/clock.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { PartitionSender } from '../../../src/kafka/produce/partition-sender.ts'
import { RecordBatchWriter } from '../../../src/kafka/produce/record-batch.ts'
import type { BrokerConnection } from '../../../src/kafka/wire/broker.ts'
import type { Cluster } from '../../../src/kafka/wire/cluster.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../src/kafka/wire/error-codes.ts'
import { readBatchHeader } from '../../../src/kafka/records/batch-header.ts'
import { chanceOf } from '../../support/values/chance.ts'

/** What a broker does with a batch: stores it, stores it without a response, or neither. */
type Reaction = 'stored' | 'stored, no response' | 'lost' | BrokerErrorName

/** A partition as a broker keeps it, with the last sequence number of each producer. */
class FakePartition {
  readonly stored: number[] = []
  readonly #next = new Map<bigint, number>()
  #producers = 0n
  inFlight = 0
  inFlightMost = 0
  readonly #react: (index: number) => Reaction
  #requests = 0
  #connection = this.#open()

  constructor(react: (index: number) => Reaction) {
    this.#react = react
  }

  /** Forgets all producers, as a broker does after it lost its log. */
  forget(): void {
    this.#next.clear()
  }

  get cluster(): Pick<Cluster, 'metadata' | 'broker' | 'learnLeader'> {
    const partitions = [{ partitionIndex: 0, errorCode: 0, leaderId: 1 }]
    return {
      metadata: () => Promise.resolve({ topics: new Map([['t', { errorCode: 0, partitions }]]) } as never),
      broker: () => {
        if (!this.#connection.isOpen) this.#connection = this.#open()
        return Promise.resolve(this.#connection)
      },
      learnLeader: () => undefined,
    }
  }

  #open(): BrokerConnection {
    const connection = {
      isOpen: true,
      request: async (api: string, body: { topicData: { partitionData: { records: Uint8Array }[] }[] }) => {
        if (api === 'InitProducerId') return { errorCode: 0, producerId: ++this.#producers, producerEpoch: 0 }
        const bytes = Buffer.from(body.topicData[0]?.partitionData[0]?.records ?? assert.fail())
        this.inFlightMost = Math.max(this.inFlightMost, ++this.inFlight)
        const reaction = this.#react(this.#requests++)
        // The broker handles requests in the order of their arrival.
        const code = this.#handle(bytes, reaction)
        await new Promise((resolve) => setTimeout(resolve, 1))
        this.inFlight--
        if (reaction === 'stored, no response' || reaction === 'lost') connection.isOpen = false
        if (!connection.isOpen)
          throw new PipelineError('KD_KAFKA_UNREACHABLE', 'cut', {}, { retryable: true })
        return { responses: [{ partitionResponses: [{ index: 0, errorCode: code, errorMessage: null }] }] }
      },
    }
    return connection as unknown as BrokerConnection
  }

  #handle(bytes: Buffer, reaction: Reaction): number {
    if (reaction === 'lost') return 0
    if (reaction !== 'stored' && reaction !== 'stored, no response') return BROKER_ERRORS[reaction].code
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { producerId, count } = readBatchHeader(bytes, view)
    const sequence = view.getInt32(53)
    const next = this.#next.get(producerId) ?? 0
    if (sequence < next) return BROKER_ERRORS.DUPLICATE_SEQUENCE_NUMBER.code
    if (sequence > next) return BROKER_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER.code
    this.#next.set(producerId, sequence + count)
    // The key of the first record is the number of the batch.
    this.stored.push(Number(bytes.toString('latin1', 66, 71)))
    return 0
  }
}

function batchOf(number: number): Buffer {
  const writer = new RecordBatchWriter(200)
  writer.append({ key: String(number).padStart(5, '0'), value: 'x' }, 0)
  writer.append({ key: null, value: 'y' }, 0)
  return writer.finish(undefined)
}

const BACKOFF = { minBackoffMs: 1, maxBackoffMs: 2 }

function senderTo(partition: FakePartition): PartitionSender {
  return new PartitionSender({
    ...{ topic: 't', partition: 0, cluster: partition.cluster, clock: systemClock, backoff: BACKOFF },
  })
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

test('Up to five batches are in flight, in order', async () => {
  const partition = new FakePartition(() => 'stored')
  const sender = senderTo(partition)
  await Promise.all(numbers(40).map((number) => sender.send(batchOf(number), 2)))
  assert.deepEqual(partition.stored, numbers(40))
  assert.equal(partition.inFlightMost, 5)
})

test('Batches are stored once and in order, whatever fails', async (t) => {
  const chance = chanceOf(t)
  for (let round = 0; round < 30; round++) {
    const reactions = numbers(400).map((): Reaction =>
      chance.once(4)
        ? chance.pick(['stored, no response', 'lost', 'NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS'])
        : 'stored',
    )
    const partition = new FakePartition((index) => reactions[index] ?? 'stored')
    const sender = senderTo(partition)
    await Promise.all(numbers(60).map((number) => sender.send(batchOf(number), 2)))
    assert.deepEqual(partition.stored, numbers(60), `round ${round}`)
  }
})

test('A broker that forgot the producer gets the batches under a new identity', async () => {
  const partition = new FakePartition(() => 'stored')
  const sender = senderTo(partition)
  await sender.send(batchOf(0), 2)
  partition.forget()
  await Promise.all([1, 2, 3].map((number) => sender.send(batchOf(number), 2)))
  assert.deepEqual(partition.stored, [0, 1, 2, 3])
})

for (const refusal of ['MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_RECORD'] as const)
  test(`${refusal} ends the sender: all batches that are not stored fail with it`, async () => {
    const partition = new FakePartition((index) => (index === 1 ? refusal : 'stored'))
    const sender = senderTo(partition)
    await sender.send(batchOf(0), 2)
    const rest = await Promise.allSettled(numbers(12).map((number) => sender.send(batchOf(1 + number), 2)))
    const reasons = rest.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
    assert.ok(reasons.length > 0 && reasons.every((reason) => reason.includes(refusal)), reasons.join())
    await assert.rejects(sender.send(batchOf(99), 2), { type: refusal })
  })

test('After a minute of failures the last error ends the sender', async () => {
  let nowMs = 0
  const partition = new FakePartition(() => 'NOT_ENOUGH_REPLICAS')
  const sender = new PartitionSender({
    ...{ topic: 't', partition: 0, cluster: partition.cluster, backoff: BACKOFF },
    clock: { now: () => nowMs, sleep: () => Promise.resolve(void (nowMs += 10_000)) },
  })
  await assert.rejects(sender.send(batchOf(0), 2), { type: 'NOT_ENOUGH_REPLICAS' })
  assert.equal(nowMs, 60_000)
})

test('A closed sender rejects what is not stored', async () => {
  const partition = new FakePartition(() => 'stored')
  const sender = senderTo(partition)
  const sent = sender.send(batchOf(0), 2)
  sender.close(new Error('closed'))
  await assert.rejects(sent, /closed/)
})
