// Goal: one configuration with several topics is one group, and each topic reaches its own table, also with two processes.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fillTopic, type Expected } from '../integrity/support/topic.ts'
import { isExact, verify } from '../integrity/support/verify.ts'
import { startWorker } from '../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../support/servers.ts'
import { PROGRAM } from './support/carry.ts'

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
