import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../src/core/circuit.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'
import { Circuits } from '../../src/resilience/circuits.ts'
import { HeldClock, settled } from '../support/flow/held-clock.ts'

const OPTIONS = { failures: 5, openMs: 60_000, successes: 3 }

function started(signal?: AbortSignal): {
  clock: HeldClock
  circuits: Circuits
  lake: CircuitBreaker
  states: string[]
} {
  const clock = new HeldClock()
  const states: string[] = []
  const onChange = ({ state }: Circuit): void => void states.push(state)
  const circuits = new Circuits(OPTIONS, { clock, onChange, ...(signal === undefined ? {} : { signal }) })
  return { clock, circuits, lake: circuits.store('s3://lake'), states }
}

const down = (status?: number): Promise<never> =>
  Promise.reject(new PipelineError('KD_STORE_UNAVAILABLE', 'connect ECONNREFUSED', { status }))
const absent = (): Promise<never> => Promise.reject(new PipelineError('KD_STORE_NOT_FOUND', 'no', {}))
const up = (): Promise<string> => Promise.resolve('answer')

async function failing(lake: CircuitBreaker, times: number): Promise<void> {
  for (let time = 0; time < times; time++)
    await assert.rejects(
      lake.through(() => down()),
      { code: 'KD_STORE_UNAVAILABLE' },
    )
}

test('Five failures on end open a circuit, four do not', async () => {
  const { lake, circuits } = started()
  await failing(lake, 4)
  assert.equal(circuits.all()[0]?.state, 'closed')
  await failing(lake, 1)
  const { reason, ...rest } = lake.circuit
  const opened = { kind: 'store', name: 's3://lake', state: 'open', sinceMs: 0, opened: 1, retries: 0 }
  assert.deepEqual(rest, opened)
  assert.match(reason ?? '', /ECONNREFUSED/)
})

test('An answer between failures, be it that there is no such object or that it is refused, keeps it closed', async () => {
  const refused = new PipelineError('KD_STORE_FAILED', 'AccessDenied', { status: 403 })
  const taken = new PipelineError('KD_STORE_UNAVAILABLE', 'two writers', { status: 409 })
  for (const answer of [up, absent, () => Promise.reject(refused), () => Promise.reject(taken)]) {
    const { lake } = started()
    await failing(lake, 4)
    await lake.through<unknown>(answer).catch(() => undefined)
    await failing(lake, 4)
    assert.equal(lake.circuit.state, 'closed', answer.toString())
  }
})

test('What says nothing of the server neither opens a circuit nor keeps it closed', async () => {
  const { lake } = started()
  await failing(lake, 4)
  for (const thrown of [new Error('the body broke'), new PipelineError('KD_STORE_FAILED', 'no login')])
    await assert.rejects(
      lake.through(() => Promise.reject(thrown)),
      thrown,
    )
  await failing(lake, 1)
  assert.equal(lake.circuit.state, 'open')
})

test('Too many requests and time-outs are failures of the server', async () => {
  const { lake } = started()
  for (const status of [429, 503, 500, 408, undefined])
    await assert.rejects(
      lake.through(() => down(status)),
      /ECONNREFUSED/,
    )
  assert.equal(lake.circuit.state, 'open')
})

test('While it is open requests wait, one is tried after a minute, and three answers close it', async () => {
  const { clock, lake, states } = started()
  await failing(lake, 5)
  const sent: number[] = []
  let answer = (): void => undefined
  const request = (id: number) => (): Promise<number> => {
    sent.push(id)
    return new Promise((resolve) => {
      answer = () => {
        resolve(id)
      }
    })
  }
  const all = [1, 2, 3, 4].map((id) => lake.through(request(id)))
  await clock.advance(59_999)
  assert.deepEqual(sent, [], 'nothing is sent while it is open')
  assert.equal(clock.sleepers, 1, 'all wait for the same')
  await clock.advance(1)
  assert.deepEqual(sent, [1], 'one is tried')
  assert.deepEqual(states, ['open', 'half-open'])
  answer()
  await settled()
  assert.deepEqual(sent, [1, 2, 3, 4])
  assert.equal(lake.circuit.state, 'half-open', 'one answer is not enough')
  answer()
  await settled()
  assert.equal(lake.circuit.state, 'half-open')
  assert.equal(await lake.through(up), 'answer')
  assert.deepEqual(states, ['open', 'half-open', 'closed'])
  assert.equal(lake.circuit.opened, 1)
  assert.ok(all.length === 4, 'the rest may stay on its way')
})

test('A failure on trial, or among the answers that are wanted, opens it for another minute', async () => {
  const { clock, lake, states } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  await failing(lake, 1)
  assert.equal(lake.circuit.state, 'open')
  await clock.advance(60_000)
  assert.equal(lake.circuit.state, 'half-open', 'a request would be let through')
  await lake.through(up)
  await lake.through(up)
  await failing(lake, 1)
  assert.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'open'])
  assert.equal(lake.circuit.opened, 3)
  await clock.advance(60_000)
  for (let answers = 0; answers < 3; answers++) await lake.through(up)
  assert.equal(lake.circuit.state, 'closed')
  await failing(lake, 4)
  assert.equal(lake.circuit.state, 'closed', 'five failures on end are wanted again')
})

test('Answers to what was sent before it opened do not close it', async () => {
  const { lake } = started()
  const late: (() => void)[] = []
  const before = Array.from({ length: 4 }, () =>
    lake.through(() => new Promise<void>((resolve) => late.push(resolve))),
  )
  await failing(lake, 5)
  for (const resolve of late) resolve()
  await Promise.all(before)
  assert.equal(lake.circuit.state, 'open')
})

test('Once nobody shall wait, who waits fails at once, and so does who comes', async () => {
  const stopping = new AbortController()
  const { lake } = started(stopping.signal)
  await failing(lake, 5)
  let sent = 0
  const waiting = lake.through(() => Promise.resolve(sent++))
  await settled()
  stopping.abort()
  const givenUp = { code: 'KD_STORE_UNAVAILABLE', retryable: true, message: /gave up waiting.*ECONNREFUSED/ }
  await assert.rejects(waiting, givenUp)
  await assert.rejects(
    lake.through(() => Promise.resolve(sent++)),
    givenUp,
  )
  assert.equal(sent, 0)
})

test('A wait for a trial that takes long ends at once too', async () => {
  const stopping = new AbortController()
  const { clock, lake } = started(stopping.signal)
  await failing(lake, 5)
  await clock.advance(60_000)
  void lake.through(() => new Promise(() => undefined))
  const behind = lake.through(up)
  await settled()
  stopping.abort()
  await assert.rejects(behind, { code: 'KD_STORE_UNAVAILABLE' })
})

test('Servers have circuits of their own, and whatever goes to one shares it', async () => {
  const { circuits, lake } = started()
  assert.equal(circuits.store('s3://lake'), lake)
  const registry = circuits.registry('http://registry')
  await failing(lake, 5)
  assert.deepEqual(
    circuits.all().map(({ kind, name, state }) => [kind, name, state]),
    [
      ['store', 's3://lake', 'open'],
      ['registry', 'http://registry', 'closed'],
    ],
  )
  assert.equal(await registry.through(up), 'answer')
})

test('A server that is asked no more after the first answer lets requests through, and is closed once nothing failed for as long as it was open', async () => {
  const { lake, clock, states } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  assert.equal(lake.circuit.isPassing, undefined)
  assert.equal(await lake.through(up), 'answer')
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['half-open', true])
  await clock.advance(59_999)
  assert.equal(lake.circuit.state, 'half-open')
  await clock.advance(1)
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['closed', undefined])
  await failing(lake, 4)
  assert.equal(lake.circuit.state, 'closed')
  assert.deepEqual(states, ['open', 'half-open', 'closed'])
})

test('A failure soon after the first answer opens it again, and what is passed over since then does not count', async () => {
  const { lake, clock } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  await lake.through(up)
  await clock.advance(30_000)
  await failing(lake, 1)
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['open', undefined])
  await clock.advance(59_999)
  assert.equal(lake.circuit.state, 'open')
})
