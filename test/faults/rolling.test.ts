// Goal: a restart of one worker moves no partition and costs no flush of the others.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests } from '../support/servers/servers.ts'
import { rollingRestart } from './support/rolling.ts'

test('static members are killed one by one under load: no partition moves, no flush is thrown away, and the table is exact', async (t) => {
  const brokers = await kafkaForTests()
  const folder = await mkdtemp(join(tmpdir(), 'faults-rolling-'))
  try {
    await rollingRestart({
      ...{ program: PROGRAM, folder, brokers, rate: 200, outageMs: 0, seed: 6 },
      ...{ protocol: 'classic', isStatic: true, workers: 2, partitions: 4, signals: ['SIGKILL'] },
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
