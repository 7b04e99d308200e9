// Goal: a registry that is gone while unknown schemas arrive costs time, and nothing else.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRegistry } from '../support/servers/registry.ts'
import { PROGRAM } from '../e2e/support/carry.ts'
import { kafkaForTests } from '../support/servers/servers.ts'
import { registryFails } from './support/registry.ts'

test('records with an unknown schema arrive while the registry refuses: they wait, and the table is exact', async (t) => {
  const [brokers, registry] = await Promise.all([kafkaForTests(), startRegistry()])
  const folder = await mkdtemp(join(tmpdir(), 'faults-registry-'))
  try {
    await registryFails({
      program: PROGRAM,
      folder,
      brokers,
      registryUrl: registry.url,
      rate: 2_000,
      outageMs: 1_500,
      circuit: { openMs: 1_000 },
      seed: 13,
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await registry.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
