// Dead letters with a real broker: their content, and that each is stored exactly once despite crashes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { createTopic, readGroupOffsets } from '../../../src/kafka/client/admin.ts'
import {
  createDeadLetterTopic,
  type DeadLetterOptions,
} from '../../../src/kafka/dead-letters/dead-letters.ts'
import { LetterJoiner } from '../../../src/stored-letters/letter-joiner.ts'
import type { StoredLetter } from '../../../src/stored-letters/stored.ts'
import { eventually, readToEnd } from '../reading.ts'
import { testTopic, type TestTopic } from '../topic.ts'

const client = { clientId: 'test' }

test('dead letters become records with an envelope, key and headers', async () => {
  const { letters, options, read } = await setUp(2)
  const one = { ...letter(options.sourceTopic, 1, 7n, 'not json'), headers: { trace: Buffer.from('abc') } }
  assert.deepEqual(await letters.write([one], [range(options.sourceTopic, 1, 9n)]), {
    written: 1,
    skipped: 0,
  })
  let found: Record<string, unknown> | undefined
  // A broker confirms a transaction before readers see it: the first of a new broker takes its time.
  await eventually(async () => {
    found = (await read())[0]
    return found !== undefined
  }, 'the letter can be read')
  assert.equal(found?.['original_topic'], options.sourceTopic)
  assert.equal(found['original_partition'], 1)
  assert.equal(found['original_offset'], 7)
  assert.equal(found['original_key'], 'k7')
  assert.equal(found['original_value'], 'not json')
  assert.equal(found['original_timestamp'], '2023-11-14T22:13:20.000Z')
  assert.equal(found['error_reason'], 'decode')
  assert.equal(found['error_message'], 'expected JSON')
  assert.equal(found['error_class'], 'DecodeError')
  assert.equal(found['error_stage'], 'bytes')
  assert.equal(found['original_ordinal'], 0)
  assert.equal(found['error_stack_trace'], null)
  assert.equal(found['dlq_version'], '1.2')
})

test('the topic is created with as many partitions as the source, and the ledger holds the end of the flush', async () => {
  const { letters, options, source } = await setUp(3)
  await letters.write(
    [letter(options.sourceTopic, 2, 4n, 'x')],
    [range(options.sourceTopic, 2, 99n), range(options.sourceTopic, 0, 5n)],
  )
  assert.equal((await source.admin.fetchTopicOffsets(options.topic)).length, 3)
  const ledger = await readGroupOffsets(
    options,
    `${options.groupId}-dlq-${options.tableId}`,
    options.sourceTopic,
  )
  assert.deepEqual([...ledger], [[2, 100n]])
})

test('a flush repeated after a crash before its Delta commit writes nothing twice', async () => {
  const { letters, options, read } = await setUp(2)
  const all = [0, 1].flatMap((partition) =>
    Array.from({ length: 20 }, (_, i) => letter(options.sourceTopic, partition, BigInt(i), `v${i}`)),
  )
  assert.deepEqual(
    await letters.write(all.slice(0, 30), [
      range(options.sourceTopic, 0, 19n),
      range(options.sourceTopic, 1, 9n),
    ]),
    { written: 30, skipped: 0 },
  )
  // The process that takes over flushes other ranges.
  const next = createDeadLetterTopic(options)
  assert.deepEqual(
    await next.write(all, [range(options.sourceTopic, 0, 25n), range(options.sourceTopic, 1, 25n)]),
    { written: 10, skipped: 30 },
  )
  assert.deepEqual(await next.write(all, [range(options.sourceTopic, 0, 25n)]), { written: 0, skipped: 40 })
  const keys = (await read()).map(
    (one) => `${String(one['original_partition'])}/${String(one['original_offset'])}`,
  )
  assert.equal(keys.length, 40)
  assert.equal(new Set(keys).size, 40)
})

test('a process that dies inside the transaction leaves nothing, and its successor does not wait', async () => {
  const { letters, options, read } = await setUp(1)
  await letters.write([letter(options.sourceTopic, 0, 0n, 'first')], [range(options.sourceTopic, 0, 0n)])
  const dying = await options.source.transactional(
    `${options.groupId}-dlq-${options.tableId}-${options.sourceTopic}-0`,
  )
  const transaction = await dying.transaction()
  await transaction.send({
    topic: options.topic,
    messages: [{ partition: 0, value: '{"original_value":"dying"}' }],
  })
  const written = await letters.write(
    [letter(options.sourceTopic, 0, 1n, 'second')],
    [range(options.sourceTopic, 0, 1n)],
  )
  assert.deepEqual(written, { written: 1, skipped: 0 })
  // The process presumed dead wakes up: it is fenced.
  await assert.rejects(transaction.commit())
  await dying.disconnect()
  assert.deepEqual(
    (await read()).map((one) => one['original_value']),
    ['first', 'second'],
  )
})

test('two members with one partition at the same time write each letter once', async () => {
  const { letters, options, read } = await setUp(1)
  const other = createDeadLetterTopic(options)
  const all = Array.from({ length: 50 }, (_, i) => letter(options.sourceTopic, 0, BigInt(i), `v${i}`))
  const ranges = [range(options.sourceTopic, 0, 60n)]
  await Promise.all([letters.write(all, ranges), other.write(all, ranges)])
  assert.equal((await read()).length, 50)
})

test('a value near the record limit becomes a dead letter, truncated and marked, with the whole in parts', async () => {
  const { letters, options, read } = await setUp(1)
  const texts = ['x'.repeat(1_000_000), '\u0001'.repeat(1_000_000), 'ß€'.repeat(200_000)]
  const all = texts.map((text, i) => letter(options.sourceTopic, 0, BigInt(i), text))
  all.push({ ...letter(options.sourceTopic, 0, 3n, ''), value: Buffer.alloc(1_000_000, 0xff) })
  assert.deepEqual(await letters.write(all, [range(options.sourceTopic, 0, 9n)]), { written: 4, skipped: 0 })
  const records = await read()
  assert.deepEqual(
    joined(records).map(({ value, unplayable }) => [value?.length, unplayable]),
    [1_000_000, 1_000_000, 1_000_000, 1_000_000].map((length) => [length, undefined]),
  )
  const found = records.filter((one) => one['dlq_part'] === undefined)
  assert.deepEqual(
    found.map((one) => one['original_value_truncated']),
    [true, true, true, true],
  )
  assert.deepEqual(
    found.map((one) => one['original_value_bytes']),
    [1_000_000, 1_000_000, 1_000_000, 1_000_000],
  )
  assert.deepEqual(
    found.map((one) => one['original_value_encoding']),
    [undefined, 'base64', undefined, 'base64'],
  )
})

test('a topic with a low record limit gets smaller parts, not a failure', async () => {
  const { letters, options, read } = await setUp(1)
  await createTopic(options, options.topic, { partitions: 1, config: { 'max.message.bytes': '20000' } })
  const big = {
    ...letter(options.sourceTopic, 0, 0n, 'x'.repeat(300_000)),
    // Twice a key of this length, in the record and its envelope, would be above the limit.
    key: Buffer.from('k'.repeat(16_000)),
    headers: { big: Buffer.from('h'.repeat(50_000)), none: null },
  }
  const all = [big, letter(options.sourceTopic, 0, 1n, 'small')]
  assert.deepEqual(await letters.write(all, [range(options.sourceTopic, 0, 1n)]), { written: 2, skipped: 0 })
  const [first, second] = joined(await read())
  assert.deepEqual([first?.value, first?.key, first?.headers], [big.value, big.key, big.headers])
  assert.deepEqual([second?.value?.toString(), second?.unplayable], ['small', undefined])
})

test('a letter above the size of a transaction is written in one, and none of its parts remain of a dead one', async () => {
  const { letters, options, read } = await setUp(1)
  const values = ['a', 'b'].map((text, i) =>
    letter(options.sourceTopic, 0, BigInt(i), text.repeat(10_000_000)),
  )
  assert.deepEqual(await letters.write(values, [range(options.sourceTopic, 0, 1n)]), {
    written: 2,
    skipped: 0,
  })
  assert.deepEqual(await letters.write(values, [range(options.sourceTopic, 0, 1n)]), {
    written: 0,
    skipped: 2,
  })
  const found = joined(await read())
  assert.deepEqual(
    found.map(({ value, unplayable }) => [value?.length, unplayable]),
    [10_000_000, 10_000_000].map((length) => [length, undefined]),
  )
})

test('more letters than fit one transaction are all written, in order', async () => {
  const { letters, options, read } = await setUp(1)
  const all = Array.from({ length: 40 }, (_, i) =>
    letter(options.sourceTopic, 0, BigInt(i), 'y'.repeat(400_000)),
  )
  assert.deepEqual(await letters.write(all, [range(options.sourceTopic, 0, 50n)]), {
    written: 40,
    skipped: 0,
  })
  assert.deepEqual(
    (await read()).map((one) => one['original_offset']),
    Array.from({ length: 40 }, (_, i) => i),
  )
})

test('while no broker can be reached a write waits, whatever its retry policy, until the signal aborts', async () => {
  const { options } = await setUp(1)
  const stopping = new AbortController()
  const attempts: unknown[] = []
  const note = (fields: object): void => {
    if ('failures' in fields && attempts.push(fields.failures) === 4) stopping.abort()
  }
  // The first is a warning, those that follow within a minute are not.
  const log = { debug: note, info: () => undefined, error: () => undefined, warn: note }
  const letters = createDeadLetterTopic({
    ...options,
    brokers: ['127.0.0.1:1'],
    reachTimeoutMs: 100,
    retryPolicy: { attemptsMax: 2, minBackoffMs: 1, maxBackoffMs: 2 },
    signal: stopping.signal,
    log,
  })
  await assert.rejects(letters.write([letter(options.sourceTopic, 0, 0n, 'x')], []), {
    code: 'KD_DEAD_LETTERS_FAILED',
    retryable: true,
  })
  assert.deepEqual(attempts, [0, 0, 0, 0])
})

test('errors of the brokers fail the write after the maximum attempts, and what they will never accept at once', async () => {
  const { options } = await setUp(1)
  let failures = 0
  const count = (fields: object): void => {
    if ('failures' in fields) failures++
  }
  const refused = createDeadLetterTopic({ ...options, sourceTopic: 'a topic that cannot be' })
  await assert.rejects(refused.write([letter(options.sourceTopic, 0, 0n, 'x')], []), {
    code: 'KD_KAFKA_REFUSED',
  })
  const letters = createDeadLetterTopic({
    ...options,
    sourceTopic: `${options.sourceTopic}-missing`,
    retryPolicy: { attemptsMax: 2, minBackoffMs: 1, maxBackoffMs: 2 },
    log: {
      // The first is a warning, those that follow within a minute are not.
      debug: count,
      info: () => undefined,
      error: () => undefined,
      warn: count,
    },
  })
  await assert.rejects(letters.write([letter(options.sourceTopic, 0, 0n, 'x')], []), {
    code: 'KD_DEAD_LETTERS_FAILED',
  })
  assert.equal(failures, 2)
})

/** Returns the letters of records, joined from their parts. */
function joined(records: readonly Record<string, unknown>[]): readonly StoredLetter[] {
  const joiner = new LetterJoiner()
  const letters = records.flatMap((one) => joiner.add(Buffer.from(JSON.stringify(one)), undefined) ?? [])
  return [...letters, ...joiner.end()]
}

async function setUp(partitions: number): Promise<{
  letters: ReturnType<typeof createDeadLetterTopic>
  options: DeadLetterOptions & { source: TestTopic }
  source: TestTopic
  read: () => Promise<Record<string, unknown>[]>
}> {
  const source = await testTopic(partitions)
  const options = {
    ...client,
    source,
    brokers: source.brokers,
    topic: `${source.topic}-dlq`,
    sourceTopic: source.topic,
    groupId: source.topic,
    tableId: 'table',
  }
  const read = async (): Promise<Record<string, unknown>[]> => {
    const reading = await readToEnd({ ...source, topic: options.topic })
    return Array.from({ length: partitions }, (_, partition) => reading.values(partition))
      .flat()
      .map((text) => JSON.parse(text) as Record<string, unknown>)
  }
  return { letters: createDeadLetterTopic(options), options, source, read }
}

function letter(topic: string, partition: number, offset: bigint, value: string): DeadLetter {
  return {
    reason: 'decode',
    message: 'expected JSON',
    topic,
    partition,
    offset,
    timestampMs: 1_700_000_000_000,
    key: Buffer.from(`k${offset}`),
    value: Buffer.from(value),
  }
}

function range(
  topic: string,
  partition: number,
  last: bigint,
): { topic: string; partition: number; follows: undefined; first: bigint; last: bigint } {
  return { topic, partition, follows: undefined, first: 0n, last }
}
