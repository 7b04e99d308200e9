import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { GuardedStore } from '../../src/storage/guarded.ts'
import { MemoryStore, type MemoryFault, type MemoryRequest } from '../../src/storage/memory.ts'
import { HeldClock, settled } from '../support/flow/held-clock.ts'

interface Guarded {
  readonly clock: HeldClock
  readonly circuits: Circuits
  readonly store: GuardedStore
  /** Requests that reached the store. */
  readonly requests: MemoryRequest[]
  fault: MemoryFault | undefined
}

function guarded(signal?: AbortSignal): Guarded {
  const clock = new HeldClock()
  const circuits = new Circuits({}, { clock, ...(signal === undefined ? {} : { signal }) })
  const requests: MemoryRequest[] = []
  const made: Guarded = {
    clock,
    circuits,
    requests,
    fault: undefined,
    store: new GuardedStore(
      new MemoryStore('', {
        fault: (request) => {
          requests.push(request)
          return made.fault
        },
      }),
      { circuit: circuits.store('memory'), clock },
    ),
  }
  return made
}

const BODY = Buffer.from('body')

test('All idempotent requests wait while a store is down for an hour, and continue when it is back', async () => {
  const there = guarded()
  const { clock, store } = there
  await store.put('a', BODY)
  await store.put('b', BODY)
  there.fault = 'lost'
  const keys: string[] = []
  const list = async (): Promise<void> => {
    for await (const { key } of store.list('')) keys.push(key)
  }
  const all = Promise.all([store.get('a'), store.size('b'), store.put('c', BODY), store.delete('b'), list()])
  let done = false
  void all.then(() => (done = true))
  await clock.advance(3_600_000)
  assert.equal(done, false)
  assert.ok(there.requests.length < 120, `${there.requests.length} requests in an hour`)
  there.fault = undefined
  await clock.advance(70_000)
  const [bytes, size, put] = await all
  assert.deepEqual([Buffer.from(bytes).toString(), put], ['body', { bytes: 4 }])
  assert.ok(size === 4 || size === undefined, 'before or after the delete')
  assert.ok(keys.includes('a'), keys.join())
  assert.equal(there.circuits.all()[0]?.state, 'closed')
})

test('A conditional put is sent once: a lost response is unknown, and counts as a failure of the store', async () => {
  const there = guarded()
  there.fault = 'answer-lost'
  for (let put = 0; put < 5; put++)
    assert.equal(await there.store.putIfAbsent(`${put}.json`, BODY), 'unknown')
  assert.equal(there.requests.length, 5)
  assert.equal(there.circuits.all()[0]?.state, 'open')
})

test('A conditional put is not sent while the store is down, and its outcome is known afterwards', async () => {
  const there = guarded()
  there.fault = 'lost'
  for (let put = 0; put < 5; put++) await there.store.putIfAbsent('0.json', BODY)
  there.fault = undefined
  const put = there.store.putIfAbsent('0.json', BODY)
  await there.clock.advance(59_000)
  assert.equal(there.requests.length, 5, 'it waits')
  await there.clock.advance(1_000)
  assert.equal(await put, 'created')
  assert.equal(await there.store.putIfAbsent('0.json', BODY), 'exists')
})

test('A waiting conditional put fails when the signal aborts: it was not sent, so nothing is unknown', async () => {
  const stopping = new AbortController()
  const there = guarded(stopping.signal)
  there.fault = 'lost'
  for (let put = 0; put < 5; put++) await there.store.putIfAbsent('0.json', BODY)
  const put = there.store.putIfAbsent('0.json', BODY)
  await settled()
  stopping.abort()
  await assert.rejects(put, { code: 'KD_STORE_UNAVAILABLE', retryable: true })
  assert.equal(there.requests.length, 5)
})

test('A refusal fails immediately and is not a failure of the store', async () => {
  const there = guarded()
  there.fault = 'refused'
  for (let request = 0; request < 10; request++)
    await assert.rejects(there.store.get('a'), { code: 'KD_STORE_FAILED' })
  assert.equal(there.circuits.all()[0]?.state, 'closed')
})

test('A streamed body is sent once', async () => {
  const there = guarded()
  there.fault = 'lost'
  const pieces = (async function* () {
    yield await Promise.resolve(BODY)
  })()
  await assert.rejects(there.store.put('a', pieces), { code: 'KD_STORE_UNAVAILABLE', retryable: true })
  assert.equal(there.requests.length, 1)
})

test('An interrupted listing continues after the last key', async () => {
  const inner = new MemoryStore()
  for (const key of ['a', 'b', 'c', 'd']) await inner.put(key, BODY)
  const clock = new HeldClock()
  let breaks = 2
  const broken = Object.assign(Object.create(inner) as MemoryStore, {
    list: async function* (prefix: string, startAfter?: string) {
      for await (const object of MemoryStore.prototype.list.call(inner, prefix, startAfter)) {
        if (object.key === 'c' && breaks-- > 0) throw new PipelineError('KD_STORE_UNAVAILABLE', 'broke off')
        yield object
      }
    },
  })
  const store = new GuardedStore(broken, { circuit: new Circuits({}, { clock }).store('s'), clock })
  const keys: string[] = []
  const listed = (async () => {
    for await (const { key } of store.list('')) keys.push(key)
  })()
  await clock.advance(10_000)
  await listed
  assert.deepEqual(keys, ['a', 'b', 'c', 'd'])
})
