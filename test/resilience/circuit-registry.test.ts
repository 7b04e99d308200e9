import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../src/core/circuit.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
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
      lake.execute(() => down()),
      { code: 'KD_STORE_UNAVAILABLE' },
    )
}

test('Five consecutive failures open a circuit, four do not', async () => {
  const { lake, circuits } = started()
  await failing(lake, 4)
  assert.equal(circuits.all()[0]?.state, 'closed')
  await failing(lake, 1)
  const { reason, ...rest } = lake.circuit
  const opened = {
    ...{ kind: 'store', name: 's3://lake', state: 'open', sinceMs: 0, openedCount: 1, retries: 0 },
    ...{ code: 'KD_STORE_UNAVAILABLE', trialAtMs: OPTIONS.openMs },
  }
  assert.deepEqual(rest, opened)
  assert.match(reason ?? '', /ECONNREFUSED/)
})

test('An answer between failures, also "not found" or a refusal, keeps the circuit closed', async () => {
  const refused = new PipelineError('KD_STORE_FAILED', 'AccessDenied', { status: 403 })
  const taken = new PipelineError('KD_STORE_UNAVAILABLE', 'two writers', { status: 409 })
  for (const answer of [up, absent, () => Promise.reject(refused), () => Promise.reject(taken)]) {
    const { lake } = started()
    await failing(lake, 4)
    await lake.execute<unknown>(answer).catch(() => undefined)
    await failing(lake, 4)
    assert.equal(lake.circuit.state, 'closed', answer.toString())
  }
})

test('Errors that say nothing about the server neither open a circuit nor keep it closed', async () => {
  const { lake } = started()
  await failing(lake, 4)
  for (const thrown of [new Error('the body broke'), new PipelineError('KD_STORE_FAILED', 'no login')])
    await assert.rejects(
      lake.execute(() => Promise.reject(thrown)),
      thrown,
    )
  await failing(lake, 1)
  assert.equal(lake.circuit.state, 'open')
})

test('429 and timeouts are failures of the server', async () => {
  const { lake } = started()
  for (const status of [429, 503, 500, 408, undefined])
    await assert.rejects(
      lake.execute(() => down(status)),
      /ECONNREFUSED/,
    )
  assert.equal(lake.circuit.state, 'open')
})

test('While a circuit is open requests wait, a trial is sent after a minute, and three answers close it', async () => {
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
  const all = [1, 2, 3, 4].map((id) => lake.execute(request(id)))
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
  assert.equal(await lake.execute(up), 'answer')
  assert.deepEqual(states, ['open', 'half-open', 'closed'])
  assert.equal(lake.circuit.openedCount, 1)
  assert.ok(all.length === 4, 'the rest may stay on its way')
})

test('A failed trial, or a failure before enough answers, opens the circuit for another minute', async () => {
  const { clock, lake, states } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  await failing(lake, 1)
  assert.equal(lake.circuit.state, 'open')
  await clock.advance(60_000)
  assert.equal(lake.circuit.state, 'half-open', 'a request would be let through')
  await lake.execute(up)
  await lake.execute(up)
  await failing(lake, 1)
  assert.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'open'])
  assert.equal(lake.circuit.openedCount, 3)
  await clock.advance(60_000)
  for (let answers = 0; answers < 3; answers++) await lake.execute(up)
  assert.equal(lake.circuit.state, 'closed')
  await failing(lake, 4)
  assert.equal(lake.circuit.state, 'closed', 'five failures on end are wanted again')
})

test('Answers to requests sent before the circuit opened do not close it', async () => {
  const { lake } = started()
  const late: (() => void)[] = []
  const before = Array.from({ length: 4 }, () =>
    lake.execute(() => new Promise<void>((resolve) => late.push(resolve))),
  )
  await failing(lake, 5)
  for (const resolve of late) resolve()
  await Promise.all(before)
  assert.equal(lake.circuit.state, 'open')
})

test('When the signal aborts, waiting requests and new requests fail immediately', async () => {
  const stopping = new AbortController()
  const { lake } = started(stopping.signal)
  await failing(lake, 5)
  let sent = 0
  const waiting = lake.execute(() => Promise.resolve(sent++))
  await settled()
  stopping.abort()
  const givenUp = { code: 'KD_STORE_UNAVAILABLE', retryable: true, message: /gave up waiting.*ECONNREFUSED/ }
  await assert.rejects(waiting, givenUp)
  await assert.rejects(
    lake.execute(() => Promise.resolve(sent++)),
    givenUp,
  )
  assert.equal(sent, 0)
})

test('A wait for a slow trial ends immediately too', async () => {
  const stopping = new AbortController()
  const { clock, lake } = started(stopping.signal)
  await failing(lake, 5)
  await clock.advance(60_000)
  void lake.execute(() => new Promise(() => undefined))
  const behind = lake.execute(up)
  await settled()
  stopping.abort()
  await assert.rejects(behind, { code: 'KD_STORE_UNAVAILABLE' })
})

test('Each server has its own circuit, which all its requests share', async () => {
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
  assert.equal(await registry.execute(up), 'answer')
})

test('A server with no further requests after the first answer is half open and passing, and closes when nothing failed for the open time', async () => {
  const { lake, clock, states } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  assert.equal(lake.circuit.isPassing, undefined)
  assert.equal(await lake.execute(up), 'answer')
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['half-open', true])
  await clock.advance(59_999)
  assert.equal(lake.circuit.state, 'half-open')
  await clock.advance(1)
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['closed', undefined])
  await failing(lake, 4)
  assert.equal(lake.circuit.state, 'closed')
  assert.deepEqual(states, ['open', 'half-open', 'closed'])
})

test('A failure soon after the first answer opens the circuit again, and errors that say nothing about the server do not count', async () => {
  const { lake, clock } = started()
  await failing(lake, 5)
  await clock.advance(60_000)
  await lake.execute(up)
  await clock.advance(30_000)
  await failing(lake, 1)
  assert.deepEqual([lake.circuit.state, lake.circuit.isPassing], ['open', undefined])
  await clock.advance(59_999)
  assert.equal(lake.circuit.state, 'open')
})

test('A server that answers no attempt for seven seconds is silent until it answers, also between attempts', async () => {
  const { clock, lake } = started()
  const endFirst = lake.trackAttempt()
  await clock.advance(6_999)
  assert.equal(lake.circuit.silentSinceMs, undefined)
  await clock.advance(1)
  assert.equal(lake.circuit.silentSinceMs, 0)
  endFirst(false)
  await clock.advance(5_000)
  const endSecond = lake.trackAttempt()
  assert.equal(lake.circuit.silentSinceMs, 0)
  endSecond(true)
  assert.equal(lake.circuit.silentSinceMs, undefined)
})

test('An answer to any attempt ends the silence, and a server that is asked nothing is not silent', async () => {
  const { clock, lake } = started()
  const endSlow = lake.trackAttempt()
  const endQuick = lake.trackAttempt()
  await clock.advance(8_000)
  endQuick(true)
  await clock.advance(6_999)
  assert.equal(lake.circuit.silentSinceMs, undefined)
  await clock.advance(1)
  assert.equal(lake.circuit.silentSinceMs, 8_000)
  endSlow(false)
  await clock.advance(10_000)
  assert.equal(lake.circuit.silentSinceMs, undefined)
})

test('An attempt that failed long ago does not make a server silent that is asked again', async () => {
  const { clock, lake } = started()
  lake.trackAttempt()(false)
  await clock.advance(3_600_000)
  const end = lake.trackAttempt()
  assert.equal(lake.circuit.silentSinceMs, undefined)
  await clock.advance(8_000)
  assert.equal(lake.circuit.silentSinceMs, 3_600_000)
  end(true)
  assert.equal(lake.circuit.silentSinceMs, undefined)
})

test('A server that takes large bodies over a slow connection is not silent before they can have arrived', async () => {
  const { clock, lake } = started()
  const bodies = Array.from({ length: 4 }, () => lake.trackAttempt(8 * 1024 * 1024))
  await clock.advance(15_191)
  assert.equal(lake.circuit.silentSinceMs, undefined)
  await clock.advance(1)
  assert.equal(lake.circuit.silentSinceMs, 0)
  for (const end of bodies) end(true)
  const end = lake.trackAttempt()
  await clock.advance(8_000)
  assert.equal(lake.circuit.silentSinceMs, 15_192)
  end(true)
})
