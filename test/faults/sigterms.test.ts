// P14: SIGTERM under full input, at random moments, again and again.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests } from '../support/servers/servers.ts'
import { sigterms } from './support/sigterm.ts'

test('SIGTERM under full input at random moments: exit 0 within the deadline each time, nothing lost, nothing twice', async (t) => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'faults-sigterms-'))
  const seed = Number(process.env['KAFKA_DELTA_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}`)
  try {
    await sigterms({
      program: PROGRAM,
      folder,
      brokers,
      rate: 1_500,
      outageMs: 0,
      times: 3,
      seed,
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
