import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore, type MemoryFault, type MemoryRequest } from '../../src/storage/memory.ts'
import { storeContract } from '../contracts/store.ts'

storeContract({ name: 'The memory store', open: (root) => Promise.resolve(new MemoryStore(root)) })

test('Two stores without a name share nothing', async () => {
  await new MemoryStore().put('a', Buffer.from('x'))
  assert.equal(await new MemoryStore().size('a'), undefined)
})

function failing(fault: MemoryFault): { store: MemoryStore; seen: MemoryRequest[] } {
  const seen: MemoryRequest[] = []
  const store = new MemoryStore('', {
    fault: (request) => {
      seen.push(request)
      return request.operation === 'put' || request.operation === 'putIfAbsent' ? fault : undefined
    },
  })
  return { store, seen }
}

test('A lost conditional put is unknown and wrote nothing', async () => {
  const { store, seen } = failing('lost')
  assert.equal(await store.putIfAbsent('a', Buffer.from('x')), 'unknown')
  assert.equal(await store.size('a'), undefined)
  assert.deepEqual(seen, [
    { operation: 'putIfAbsent', key: 'a' },
    { operation: 'size', key: 'a' },
  ])
})

test('A conditional put whose response is lost is unknown and wrote the object', async () => {
  const { store } = failing('answer-lost')
  assert.equal(await store.putIfAbsent('a', Buffer.from('x')), 'unknown')
  assert.equal(await store.size('a'), 1)
})

test('A refused put fails permanently, a lost put may be retried', async () => {
  await assert.rejects(failing('refused').store.put('a', Buffer.from('x')), { code: 'KD_STORE_FAILED' })
  await assert.rejects(failing('refused').store.putIfAbsent('a', Buffer.from('x')), {
    code: 'KD_STORE_FAILED',
  })
  await assert.rejects(failing('lost').store.put('a', Buffer.from('x')), { code: 'KD_STORE_UNAVAILABLE' })
})
