// P1, P14: SIGTERM while records flow drains, commits and leaves with 0; Kafka's copy of the offsets is what the table says.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { outputOf, PROGRAM } from '../e2e/support/carry.ts'
import { readGroupOffsets } from '../../src/kafka/client/admin.ts'
import { findFreePorts } from '../../src/local-servers/process.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { fillTopic } from './support/topic.ts'
import { isExact, verify } from './support/verify.ts'
import { startWorker } from './support/worker.ts'

test('SIGTERM while records flow: ready and counting before, exit 0, offsets as in the table, nothing twice after the next start', async () => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'sigterm-'))
  try {
    const topic = nameForTests('sigterm')
    const uri = join(folder, 'table')
    const config = join(folder, 'config.json')
    const expected = await fillTopic({
      brokers,
      topic,
      records: 100_000,
      badEvery: 5_000,
      partitions: 4,
      seed: 21,
    })
    // Small fetches make the run long enough to be interrupted, and leave a part of a flush in the buffer.
    const [port = 0] = await findFreePorts(1)
    const content = {
      http: { port },
      kafka: { brokers, groupId: topic, fetchBytesPerPartitionMax: 65_536, fetchBytesMax: 262_144 },
      log: { level: 'debug' },
      topics: {
        events: {
          topic,
          contract: resolve('schemas/user-events.schema.json'),
          kafkaColumns: true,
          table: { uri },
          flush: { count: 7_000 },
        },
      },
    }
    await writeFile(config, JSON.stringify(content))

    const first = startWorker(PROGRAM, ['run', '--config', config])
    await first.saw('"Flush committed"')
    const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`)
    assert.equal((await ask('/readyz')).status, 200)
    const metrics = await (await ask('/metrics')).text()
    const rows = /^kafka_delta_records_total\{[^}]*outcome="row"[^}]*\} (\d+)/m.exec(metrics)?.[1]
    assert.ok(Number(rows) > 0, 'rows are counted')
    const { topics } = (await (await ask('/status')).json()) as {
      topics: { events: { partitions: object[] } }
    }
    assert.equal(topics.events.partitions.length, 4)
    first.kill('SIGTERM')
    assert.equal(await first.ended, 0, first.lines.slice(-10).join('\n'))

    const shown = JSON.parse((await outputOf(['table', 'show', uri, '--json'])).join('\n')) as {
      txns: Record<string, string | number>
    }
    const copied = await readGroupOffsets({ brokers, clientId: 'test' }, topic, topic)
    const byTable = Object.entries(shown.txns).map(([appId, version]) => [
      Number(appId.split('-').at(-1)),
      BigInt(version) + 1n,
    ])
    assert.deepEqual(new Map([...copied].sort()), new Map(byTable.sort() as [number, bigint][]))
    const carried = [...copied.values()].reduce((sum, next) => sum + next, 0n)
    assert.ok(carried > 0n && carried < 100_000n, `interrupted on the way, at ${carried}`)

    const second = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
    assert.equal(await second.ended, 0, second.lines.slice(-10).join('\n'))
    const findings = await verify(expected, {
      program: PROGRAM,
      uri,
      brokers,
      deadLetterTopic: `${topic}-dlq`,
    })
    assert.ok(isExact(findings, expected), JSON.stringify(findings))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
