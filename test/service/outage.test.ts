// Goal: a temporary outage of a store only makes topics wait: no restart, no lost rows, no duplicates.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { faultProxy, type FaultProxy } from '../support/network/fault-proxy.ts'
import { nameForTests, s3ForTests } from '../support/servers/servers.ts'
import { startService, type RunningService } from '../support/service.ts'
import { versionsOf } from '../support/values/table-rows.ts'

const SCHEMA = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }
const RETRY = { attempts: 3, baseMs: 10, capMs: 100, deadlineMs: 1_000 }

const folder = await mkdtemp(join(tmpdir(), 'outage-'))
const contract = join(folder, 'ids.schema.json')
await writeFile(contract, JSON.stringify(SCHEMA))
const { bucket, endpoint, region, accessKeyId, secretAccessKey } = await s3ForTests()
const login = { region, accessKeyId, secretAccessKey }
const proxy: FaultProxy = await faultProxy(endpoint)
after(async () => {
  await proxy.stop()
  await rm(folder, { recursive: true })
})

const events = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, index) => ({ id: from + index }))

/** Resolves once the circuit's states end with these. */
async function reached(states: readonly string[], end: readonly string[]): Promise<void> {
  const deadlineMs = Date.now() + 60_000
  while (states.slice(-end.length).join() !== end.join()) {
    assert.ok(Date.now() < deadlineMs, `expected ${end.join()} at the end of ${states.join()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function started(name: string): {
  uri: string
  service: RunningService
  states: string[]
  circuits: Circuits
} {
  const states: string[] = []
  const circuits = new Circuits({ openMs: 300 }, { onChange: ({ state }) => states.push(state) })
  const uri = `s3://${bucket}/${nameForTests(name)}`
  const service = startService({
    uri,
    circuits,
    flushCount: 50,
    storage: { s3: { ...login, endpoint: proxy.endpoint, forcePathStyle: true } },
    more: { contract, kafkaColumns: true, retry: RETRY, deadLetters: { mode: 'skip' } },
  })
  return { uri, service, states, circuits }
}

async function rowsOf(uri: string): Promise<{ rows: readonly string[]; isPrefix: boolean }> {
  const store = await openStore(uri, { s3: { ...login, endpoint, forcePathStyle: true } })
  try {
    const rows: string[] = []
    let isPrefix = true
    for (const version of await versionsOf(store)) {
      rows.push(...version.rows)
      for (const last of version.txns.values()) isPrefix &&= rows.length === Number(last) + 1
    }
    return { rows: rows.sort(), isPrefix }
  } finally {
    await store.close()
  }
}

function wanted(records: number): readonly string[] {
  return Array.from({ length: records }, (_, offset) => `0/${offset}`).sort()
}

for (const fault of ['refuse', 'unavailable', 'cut', 'ambiguous'] as const) {
  test(`A store that answers every request with ${fault} makes the topic wait; afterwards every row is in the table once`, async () => {
    const { uri, service, states, circuits } = started(fault)
    try {
      service.push(events(0, 200))
      await service.settled()
      assert.deepEqual(states, [])
      await proxy.set(fault)
      service.push(events(200, 400))
      await reached(states, ['open', 'half-open', 'open'])
      service.push(events(400, 500))
      const before = circuits.all()[0]
      assert.ok(
        before?.name === `s3://${bucket}` && before.openedCount >= 2 && before.retries > 0,
        JSON.stringify(before),
      )
      assert.match(before.reason ?? '', /did not answer/)
      await proxy.set('pass')
      await service.settled()
      await reached(states, ['half-open', 'closed'])
    } finally {
      await proxy.set('pass')
    }
    const { commits } = await service.stop()
    assert.equal(
      commits.reduce((sum, { counts }) => sum + counts.rows, 0),
      500,
    )
    assert.deepEqual(await rowsOf(uri), { rows: wanted(500), isPrefix: true })
  })
}

test('A topic whose store is down at the start waits for it', async () => {
  await proxy.set('refuse')
  const { uri, service, states } = started('start')
  try {
    service.push(events(0, 100))
    await reached(states, ['half-open', 'open'])
  } finally {
    await proxy.set('pass')
  }
  await service.settled()
  await service.stop()
  assert.deepEqual((await rowsOf(uri)).rows, wanted(100))
})

test('When responses are lost occasionally, every row is in the table once', async () => {
  const { uri, service } = started('flaky')
  let requests = 0
  try {
    await proxy.set('ambiguous', () => ++requests % 7 === 0)
    for (let from = 0; from < 600; from += 100) {
      service.push(events(from, from + 100))
      await service.settled()
    }
  } finally {
    await proxy.set('pass')
  }
  await service.stop()
  assert.deepEqual(await rowsOf(uri), { rows: wanted(600), isPrefix: true })
})
