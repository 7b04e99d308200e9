// P4, P11: whatever bytes a topic carries, each record is one row or one dead letter with a reason, and tombstones are counted.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { eachLetter } from '../../integrity/support/verify.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { outputOf, PROGRAM } from '../support/carry.ts'

const CONTRACT = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'integer' },
    text: { type: 'string' },
    number: { type: 'number' },
    day: { type: 'string', format: 'date' },
  },
}

/** Values, and what becomes of them. */
const ROWS: readonly string[] = [
  '{"id":1}',
  '{"id":2,"text":"a\\u0000b"}',
  `{"id":3,"text":"${'x'.repeat(1_000_000)}"}`,
  `{"id":4,"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  '{"id":5,"id":6}',
  '{"id":7,"__proto__":{"id":"polluted"},"constructor":null}',
  '{"id":9223372036854775807}',
  '{"id":9007199254740993,"number":0.1000000000000000055511151231257827}',
  ' \n\t{ "id" : 8 , "text" : "ok" } ',
]
const LETTERS: readonly (string | Buffer)[] = [
  '',
  'not json',
  '[1,2,3]',
  '{"id":1',
  '{"id":"1"}',
  '{"text":"no id"}',
  '{"id":9223372036854775808}',
  '{"id":1,"number":1e400}',
  '{"id":1,"day":"2026-02-30"}',
  '{"id":1,"text":{}}',
  '{"id":1.5}',
  '{"id":1,"number":NaN}',
  '['.repeat(10_000),
  Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from([0xff, 0xfe, 0x00]),
]
/** No value at all, and the value that says so in JSON. */
const TOMBSTONES: readonly (string | null)[] = [null, null, 'null']

/** A row with a field beyond the contract that lies 10,000 lists deep. */
const TOO_DEEP = 3
/** A row with a field beyond the contract that is named `__proto__`, which can be no column. */
const NO_COLUMN = 5

for (const [policy, refused] of [
  ['none', [TOO_DEEP]],
  ['addNewColumns', [TOO_DEEP, NO_COLUMN]],
] as const)
  garbageTest(policy, refused)

function garbageTest(schemaEvolution: string, refused: readonly number[]): void {
  test(`garbage on a real topic under ${schemaEvolution}: every record is a row, a dead letter with a reason, or a tombstone`, async () => {
    const brokers = await kafkaForTests()
    const folder = await mkdtemp(join(tmpdir(), 'garbage-'))
    try {
      const topic = nameForTests('garbage')
      const uri = join(folder, 'table')
      const config = join(folder, 'config.json')
      await writeFile(join(folder, 'contract.json'), JSON.stringify(CONTRACT))
      const entry = { topic, contract: 'contract.json', kafkaColumns: true, table: { uri, schemaEvolution } }
      await writeFile(
        config,
        JSON.stringify({ kafka: { brokers, groupId: topic }, topics: { garbage: entry } }),
      )
      await createTopic({ brokers, clientId: 'test' }, topic, {
        partitions: 2,
        config: { 'max.message.bytes': '2000000' },
      })
      await produce(brokers, topic)

      const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
      assert.equal(await worker.ended, 0, worker.lines.slice(-10).join('\n'))
      const rows = (await outputOf(['table', 'cat', uri, '--columns', 'id,_kafka_key'])).map(
        (line) => /"_kafka_key":"([^"]*)"/.exec(line)?.[1],
      )
      const reasons = new Map<unknown, unknown>()
      await eachLetter(brokers, `${topic}-dlq`, (letter) =>
        reasons.set(letter['original_key'], letter['error_reason']),
      )
      const namesOf = (values: readonly unknown[], kind: string): string[] =>
        values.map((_, index) => `${kind}-${index}`)
      const beyond = refused.map((index) => `row-${index}`)
      assert.deepEqual(
        rows.sort(),
        namesOf(ROWS, 'row').filter((name) => !beyond.includes(name)),
      )
      assert.deepEqual([...reasons.keys()].sort(), [...namesOf(LETTERS, 'letter'), ...beyond].sort())
      for (const [key, reason] of reasons)
        assert.match(String(reason), /^(decode|contract|type)$/, String(key))
      const done = worker.lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find((line) => line['msg'] === 'Topic finished')
      assert.equal(done?.['tombstones'], TOMBSTONES.length)
      assert.equal(done['records'], ROWS.length + LETTERS.length + TOMBSTONES.length)

      const exact = await outputOf(['table', 'cat', uri, '--columns', 'id,number'])
      assert.ok(exact.includes('{"id":9223372036854775807,"number":null}'), 'the largest long is kept')
      assert.ok(
        exact.some((line) => line.startsWith('{"id":9007199254740993,')),
        'a long beyond 2^53 is kept',
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}

async function produce(brokers: readonly string[], topic: string): Promise<void> {
  const producer = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).producer()
  await producer.connect()
  const tombstones = TOMBSTONES.map((value, index) => ({ key: `tombstone-${index}`, value }))
  const rows = ROWS.map((value, index) => ({ key: `row-${index}`, value }))
  const letters = LETTERS.map((value, index) => ({ key: `letter-${index}`, value }))
  // One at a time: the large ones do not fit one request together.
  for (const message of [...rows, ...letters, ...tombstones])
    await producer.send({ topic, messages: [message] })
  await producer.disconnect()
}
