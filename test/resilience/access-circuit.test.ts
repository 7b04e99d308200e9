import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { isHeldBack } from '../../src/resilience/access-circuit.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { HeldClock, settled } from '../support/flow/held-clock.ts'

const blocked = (): Error => new PipelineError('KD_STORE_BLOCKED', 'the disk is full')

function access(signal?: AbortSignal) {
  const clock = new HeldClock()
  const circuits = new Circuits({}, { clock, ...(signal === undefined ? {} : { signal }) })
  return { clock, circuits, access: circuits.access('file:///data') }
}

test('A blocked write is tried every 30 s without limit, other writes wait for it, and reads and deletes pass', async () => {
  const { clock, circuits, access: guard } = access()
  let isFull = true
  const sent: string[] = []
  const write = (name: string) => (): Promise<string> => {
    sent.push(name)
    return isFull ? Promise.reject(blocked()) : Promise.resolve(name)
  }
  const first = guard.run('write', write('first'))
  await settled()
  const second = guard.run('write', write('second'))
  await clock.advance(29_999)
  assert.deepEqual(sent, ['first'])
  assert.equal(await guard.run('read', () => Promise.resolve('read')), 'read')
  await guard.run('delete', () => Promise.resolve())
  await assert.rejects(
    guard.run('delete', () => Promise.reject(blocked())),
    { code: 'KD_STORE_BLOCKED' },
  )
  const [circuit] = circuits.all()
  assert.deepEqual(
    [circuit?.kind, circuit?.name, circuit?.state, circuit?.reason],
    ['store', 'file:///data', 'open', blocked().message],
  )
  await clock.advance(3_600_000)
  assert.ok(sent.length >= 100 && sent.length <= 122, `${sent.length} requests in an hour`)
  isFull = false
  await clock.advance(30_000)
  assert.deepEqual([await first, await second], ['first', 'second'])
  assert.equal(circuits.all()[0]?.state, 'closed')
})

test('Access has worked once a request has succeeded or an object was missing, by kind', async () => {
  const { access: guard } = access()
  await assert.rejects(guard.run('read', () => Promise.reject(new PipelineError('KD_STORE_FAILED', 'no'))))
  assert.equal(guard.hasWorked(), false)
  const missing = new PipelineError('KD_STORE_NOT_FOUND', 'none')
  await assert.rejects(
    guard.run('read', () => Promise.reject(missing)),
    missing,
  )
  assert.deepEqual(
    [guard.hasWorked('read'), guard.hasWorked('write'), guard.hasWorked()],
    [true, false, true],
  )
})

test('A stream is sent once, and its error says that the circuit holds it back from now on', async () => {
  const { access: guard } = access()
  const error = await guard.once('write', () => Promise.reject(blocked())).catch((thrown: unknown) => thrown)
  assert.deepEqual([isHeldBack(error), isHeldBack(blocked())], [true, false])
})

test('Waiting requests fail when the signal aborts', async () => {
  const stopping = new AbortController()
  const { access: guard } = access(stopping.signal)
  const write = guard.run('write', () => Promise.reject(blocked()))
  await settled()
  stopping.abort()
  await assert.rejects(write, { code: 'KD_STORE_UNAVAILABLE', message: /disk is full/ })
})

test('The access to a table appears among the circuits once it was blocked, and a local table has one circuit', async () => {
  const { clock, circuits } = access()
  circuits.store('file:///data')
  assert.equal(circuits.all().length, 1)
  assert.equal(circuits.all()[0]?.openedCount, 0)
  void circuits.access('file:///data').run('write', () => Promise.reject(blocked()))
  void circuits.access('s3://lake/orders').run('read', () => Promise.reject(blocked()))
  await clock.advance(0)
  assert.deepEqual(
    circuits.all().map(({ name, state, openedCount }) => [name, state, openedCount]),
    [
      ['file:///data', 'open', 1],
      ['s3://lake/orders', 'open', 1],
    ],
  )
})
