// Goal: one configuration with several topics is one group, and each topic reaches its own table, also with two processes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fillTopic, type Expected } from '../integrity/support/topic.ts'
import { isExact, verify } from '../integrity/support/verify.ts'
import { startWorker } from '../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { outputOf, PROGRAM } from './support/carry.ts'

test('two topics of different width, two processes, one group: each table holds its own topic', async () => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'two-topics-'))
  try {
    const group = nameForTests('two-topics')
    const widths = { narrow: 1, wide: 5 }
    const topics = Object.entries(widths).map(([name, partitions]) => ({
      name,
      partitions,
      topic: `${group}-${name}`,
    }))
    const expected: Expected[] = []
    for (const { topic, partitions } of topics) {
      expected.push(
        await fillTopic({ brokers, topic, partitions, records: 3_000, badEvery: 100, seed: partitions }),
      )
    }
    const entries = topics.map(({ name, topic }) => [
      name,
      {
        topic,
        contract: resolve('schemas/user-events.schema.json'),
        kafkaColumns: true,
        table: { uri: join(folder, name) },
        flush: { ageMs: 500 },
      },
    ])
    const config = join(folder, 'config.json')
    const kafka = { brokers, groupId: group, sessionTimeoutMs: 6_000, heartbeatMs: 1_000 }
    await writeFile(config, JSON.stringify({ kafka, topics: Object.fromEntries(entries) as object }))

    const workers = [1, 2].map(() => startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest']))
    for (const worker of workers) assert.equal(await worker.ended, 0, worker.lines.slice(-10).join('\n'))
    // Who came last may have had nothing to do: what one left while it went is read by the next.
    const last = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
    assert.equal(await last.ended, 0, last.lines.slice(-10).join('\n'))
    for (const [index, { name, topic }] of topics.entries()) {
      const wanted = expected[index]
      assert.ok(wanted)
      const findings = await verify(wanted, {
        program: PROGRAM,
        uri: join(folder, name),
        brokers,
        deadLetterTopic: `${topic}-dlq`,
      })
      assert.ok(isExact(findings, wanted), `${name}: ${JSON.stringify(findings)}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('two topics of one process into one table: nothing is lost or there twice, and they never compete', async () => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'one-table-'))
  try {
    const group = nameForTests('one-table')
    const topics = ['first', 'second'].map((name) => ({ name, topic: `${group}-${name}` }))
    for (const [seed, { topic }] of topics.entries()) {
      await fillTopic({ brokers, topic, partitions: 2, records: 3_000, badEvery: 100, seed })
    }
    const uri = join(folder, 'table')
    const entries = topics.map(({ name, topic }) => [
      name,
      {
        topic,
        appId: name,
        contract: resolve('schemas/user-events.schema.json'),
        kafkaColumns: true,
        table: { uri },
        // Many small flushes, so that commits of both meet.
        flush: { ageMs: 500, count: 50 },
      },
    ])
    const config = join(folder, 'config.json')
    await writeFile(
      config,
      JSON.stringify({
        log: { level: 'debug' },
        kafka: { brokers, groupId: group },
        topics: Object.fromEntries(entries) as object,
      }),
    )
    const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
    assert.equal(await worker.ended, 0, worker.lines.slice(-10).join('\n'))

    const conflicts = worker.lines.flatMap((line) => /"conflicts":(\d+)/.exec(line)?.[1] ?? [])
    assert.ok(conflicts.length > 0 && conflicts.every((count) => count === '0'), conflicts.join(' '))
    const rows = (await outputOf(['table', 'cat', uri])).map(
      (line) => JSON.parse(line) as Record<'_kafka_topic' | '_kafka_partition' | '_kafka_offset', unknown>,
    )
    for (const { topic } of topics) {
      const own = rows.filter((row) => row._kafka_topic === topic)
      assert.equal(own.length, 2_970, topic)
      const places = new Set(own.map((row) => `${String(row._kafka_partition)}/${String(row._kafka_offset)}`))
      assert.equal(places.size, own.length, `${topic} has rows twice`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
