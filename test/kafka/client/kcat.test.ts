// Goal: librdkafka's kcat produces, consumes, joins a group and reads only committed transactions as from any broker.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { createTopic, readGroupOffsets } from '../../../src/kafka/client/admin.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'

const brokers = await kafkaForTests()

/** Runs kcat with `input`; returns the lines of its output. */
async function kcat(args: readonly string[], input = ''): Promise<string[]> {
  const child = spawn('kcat', ['-b', brokers.join(), '-q', ...args], { timeout: 60_000 })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin.on('error', () => undefined).end(input)
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  assert.equal(code, 0, errors)
  return output.split('\n').filter((line) => line !== '')
}

const FORMAT = ['-f', '%p %o %k %s %h\\n']

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  test(`kcat reads what it produced idempotently with ${codec}`, async () => {
    const topic = nameForTests('kcat')
    await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 2 })
    const input = Array.from({ length: 500 }, (_, n) => `k${n}:v${n}\n`).join('')
    const idempotent = ['-X', 'enable.idempotence=true', '-X', `compression.codec=${codec}`]
    await kcat(['-P', '-t', topic, '-p', '1', '-K:', '-H', 'h=x', ...idempotent], input)
    assert.deepEqual(
      await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', ...FORMAT]),
      Array.from({ length: 500 }, (_, n) => `1 ${n} k${n} v${n} h=x`),
    )
    assert.deepEqual(await kcat(['-C', '-t', topic, '-p', '1', '-o', '-2', '-e', ...FORMAT]), [
      '1 498 k498 v498 h=x',
      '1 499 k499 v499 h=x',
    ])
  })

test('kcat reads from a timestamp, and only what was committed', async () => {
  const { topic, produce, transactional } = await testTopic(1)
  await produce([{ partition: 0, value: 'early', timestamp: '1000' }])
  await produce([{ partition: 0, value: 'late', timestamp: '5000' }])
  const producer = await transactional()
  for (const end of ['abort', 'commit'] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ partition: 0, value: end, timestamp: '6000' }] })
    await transaction[end]()
  }
  await producer.disconnect()
  const values = (...more: string[]): Promise<string[]> =>
    kcat(['-C', '-t', topic, '-e', '-f', '%s\\n', ...more])
  const from = ['-o', 's@2000']
  assert.deepEqual(await values(...from, '-X', 'isolation.level=read_committed'), ['late', 'commit'])
  assert.deepEqual(await values(...from, '-X', 'isolation.level=read_uncommitted'), [
    'late',
    'abort',
    'commit',
  ])
})

for (const protocol of ['range', 'cooperative-sticky'])
  test(`kcat reads as a member of a group with ${protocol}, and commits`, async () => {
    const { topic, produce } = await testTopic(2)
    const group = nameForTests('kcat')
    const strategy = ['-X', `partition.assignment.strategy=${protocol}`, '-X', 'auto.offset.reset=earliest']
    const read = (): Promise<string[]> => kcat(['-G', group, '-e', '-f', '%p %s\\n', ...strategy, topic])
    await produce([0, 1].map((partition) => ({ partition, value: 'first' })))
    assert.deepEqual((await read()).sort(), ['0 first', '1 first'])
    await produce([{ partition: 1, value: 'second' }])
    assert.deepEqual(await read(), ['1 second'])
    assert.deepEqual([...(await readGroupOffsets({ brokers, clientId: 'test' }, group, topic))].sort(), [
      [0, 1n],
      [1, 2n],
    ])
  })

test('kcat lists the topic and its partitions', async () => {
  const { topic } = await testTopic(3)
  const described = JSON.parse((await kcat(['-L', '-J', '-t', topic])).join('')) as {
    readonly topics: readonly { readonly topic: string; readonly partitions: readonly object[] }[]
  }
  assert.deepEqual(
    described.topics.map((one) => [one.topic, one.partitions.length]),
    [[topic, 3]],
  )
})
