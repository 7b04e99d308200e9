// P1, P2, P4, P5, P14: nothing lost, nothing twice, through SIGKILL, rebalances and SIGTERM. The full size is `npm run integrity`.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { killed, two, type Outcome, type Setting } from './support/scenarios.ts'
import { fillTopic } from './support/topic.ts'
import { isExact, verify } from './support/verify.ts'

const seed = Number(process.env['KAFKA_DELTA_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

for (const [name, run] of Object.entries<(setting: Setting) => Promise<Outcome>>({ killed, two })) {
  test(`every record is one row or one dead letter: ${name}, seed ${seed}`, async (context) => {
    const brokers = await kafkaForTests()
    const folder = await mkdtemp(join(tmpdir(), 'integrity-'))
    try {
      const topic = nameForTests('integrity')
      const expected = await fillTopic({
        brokers,
        topic,
        records: 60_000,
        badEvery: 500,
        partitions: 4,
        seed,
      })
      const setting = {
        program: PROGRAM,
        brokers,
        folder,
        topic,
        expected,
        seed,
        kills: 3,
        flush: { count: 5_000 },
      }
      const outcome = await run({ ...setting, say: (line) => context.diagnostic(line) })
      const findings = await verify(expected, { program: PROGRAM, brokers, ...outcome })
      assert.ok(isExact(findings, expected), JSON.stringify(findings))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
