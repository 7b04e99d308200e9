// Goal: a store that fails costs time, and nothing else: no restart, no lost or repeated row, no good record among the dead
// letters, memory within the budget; and it costs time to those alone who need it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests, s3ForTests } from '../support/servers/servers.ts'
import { storesFail } from './support/stores.ts'

test('stores fail under full input: one of two, then both, then answers are lost; both tables are exact', async (t) => {
  const [brokers, s3] = await Promise.all([kafkaForTests(), s3ForTests()])
  const folder = await mkdtemp(join(tmpdir(), 'faults-stores-'))
  try {
    await storesFail({
      program: PROGRAM,
      folder,
      brokers,
      s3,
      rate: 2_000,
      outageMs: 5_000,
      circuit: { openMs: 1_000 },
      seed: 11,
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
