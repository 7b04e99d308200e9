// Goal: records wait while the registry fails; only a schema that the registry does not have makes dead letters.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { contractOfFormat } from '../../src/formats/open/contract.ts'
import { openFormat, type FormatChoice } from '../../src/formats/open/open.ts'
import { createSchemaRegistry } from '../../src/registry/registry.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { rawOf } from '../support/flow/batches.ts'
import { CSV } from '../support/values/csv.ts'
import { outcomesOf } from '../support/flow/outcomes.ts'
import { scriptedServer, type ScriptedAnswer } from '../support/network/scripted-http.ts'

const SCHEMA = JSON.stringify({ type: 'record', name: 'Event', fields: [{ name: 'id', type: 'long' }] })
const FOUND: ScriptedAnswer = { status: 200, body: JSON.stringify({ schema: SCHEMA }) }
const UNKNOWN: ScriptedAnswer = { status: 404, body: '{"error_code":40403}' }
const RETRY_POLICY = { attemptsMax: 2, minBackoffMs: 1, maxBackoffMs: 5, requestMsMax: 2_000 }

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

/** A registry whose behaviour can be switched, with a log of its requests. */
async function registry(): Promise<{
  does: ScriptedAnswer | undefined
  readonly states: string[]
  readonly circuits: Circuits
  readonly choice: FormatChoice
}> {
  const states: string[] = []
  const circuits = new Circuits({ openMs: 50 }, { onChange: ({ state }) => states.push(state) })
  const server = await scriptedServer(
    ({ url }) => there.does ?? (url.includes('/ids/1') || url.includes('/subjects/') ? FOUND : UNKNOWN),
  )
  stops.push(() => server.stop())
  const schemaRegistry = {
    url: server.endpoint,
    retryPolicy: RETRY_POLICY,
    circuit: circuits.registry(server.endpoint),
  }
  const there: Awaited<ReturnType<typeof registry>> = {
    does: undefined,
    states,
    circuits,
    choice: {
      format: 'avro',
      framing: 'registry',
      subject: 'events-value',
      avro: {},
      csv: CSV,
      schemaRegistry,
      decompress: 'none',
      recordsPerMessageMax: 1000,
      decompressedBytesMax: 1000,
    },
  }
  return there
}

/** Resolves once the circuit has opened, let a trial request through, and opened again. */
async function failing(states: readonly string[]): Promise<void> {
  const deadlineMs = Date.now() + 30_000
  while (states.filter((state) => state === 'open').length < 2) {
    assert.ok(Date.now() < deadlineMs, `expected an open circuit, got ${states.join()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const framed = (id: number, body: number): Buffer => Buffer.of(0, 0, 0, 0, id, body)

for (const [what, does] of [
  ['hangs up', 'cut'],
  ['answers 503', { status: 503 }],
  ['answers 429', { status: 429 }],
] as const) {
  test(`A batch with a new schema id waits while the registry ${what}, and none of its records is a dead letter`, async () => {
    const there = await registry()
    const contract = await contractOfFormat(there.choice)
    assert.ok(contract !== undefined, 'the registry has a schema')
    const format = await openFormat(there.choice, contract)
    const raw = rawOf([framed(1, 14), framed(2, 14)])
    there.does = does
    let isPrepared = false
    const prepared = format.prepare?.(raw)?.then(() => (isPrepared = true))
    await failing(there.states)
    assert.equal(isPrepared, false)
    there.does = undefined
    await prepared
    assert.deepEqual(outcomesOf(format, contract, raw), [
      { row: { id: 7 } },
      { reason: 'decode', message: 'expected a schema id that the registry knows, got 2' },
    ])
  })
}

test('A topic whose columns come from the registry waits for it at startup', async () => {
  const there = await registry()
  there.does = { status: 500 }
  const opening = contractOfFormat(there.choice)
  await failing(there.states)
  there.does = undefined
  const contract = await opening
  assert.deepEqual(
    contract?.schema.fields.map(({ name }) => name),
    ['id'],
  )
})

test('A registry that denies access fails at once and does not count as down', async () => {
  const there = await registry()
  there.does = { status: 401 }
  await assert.rejects(contractOfFormat(there.choice), { code: 'KD_REGISTRY_FAILED', retryable: false })
  assert.deepEqual(there.states, [])
})

test('Without a circuit, requests to a failing registry end after the last attempt', async () => {
  const server = await scriptedServer(() => ({ status: 503 }))
  stops.push(() => server.stop())
  const asked = createSchemaRegistry({ url: server.endpoint, retryPolicy: RETRY_POLICY }).schema(1)
  await assert.rejects(asked, { code: 'KD_REGISTRY_FAILED', retryable: true })
  assert.equal(server.requests.length, 2)
})
