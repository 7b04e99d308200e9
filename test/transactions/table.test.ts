// Goal: a table holds exactly the records that Kafka's own consumer reads, whatever transactions do.
// Method: producers of Java and librdkafka write interleaved transactions, half of them aborted; the service carries the
// topic in several runs that are stopped at different places. `npm run transactions` does the same for more seeds, with
// other versions of the broker and with processes that are killed.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { chanceOf } from '../support/values/chance.ts'
import { compareTables } from './support/scenario.ts'
import { startWriters } from './support/writers.ts'

const SEEDS = 2

const brokers = await kafkaForTests()
const writers = await startWriters(brokers[0] ?? '')
after(() => writers.close())
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-transactions-'))
after(() => rm(folder, { recursive: true, force: true }))

test('A table holds exactly what Java’s consumer reads, under both isolations and across restarts', async (t) => {
  const chance = chanceOf(t)
  for (let index = 0; index < SEEDS; index++) {
    const found = await compareTables({
      brokers,
      writers,
      topic: nameForTests('transactions'),
      folder,
      seed: chance.seed + index,
      program: PROGRAM,
      // One process is killed.
      hasKills: index === 0,
    })
    t.diagnostic(JSON.stringify(found))
    assert.ok(found.committed > 0 && found.uncommitted > 0, 'records of both kinds')
  }
})
