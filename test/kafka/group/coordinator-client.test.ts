import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import {
  type CoordinatorResult,
  CoordinatorClient,
  pipelineErrorOf,
} from '../../../src/kafka/group/coordinator-client.ts'
import type { GroupEvent } from '../../../src/kafka/group/membership.ts'
import { ScriptedCoordinator } from './support/scripted-coordinator.ts'
import { brokenConnection } from './support/wire-link.ts'

const NEVER = new Promise<never>(() => undefined)

interface Calling {
  readonly coordinator: ScriptedCoordinator
  readonly events: GroupEvent[]
  readonly abort: () => void
  end: CoordinatorResult<'Heartbeat'> | undefined
}

/** Starts the call of one heartbeat. */
function calling(coordinator = new ScriptedCoordinator(), isBlocked = false): Calling {
  const events: GroupEvent[] = []
  const client = new CoordinatorClient(
    { cluster: coordinator.cluster, groupId: 'g', onEvent: (event) => events.push(event) },
    coordinator.clock,
    () => 0.5,
  )
  const given = new AbortController()
  const result: Calling = { coordinator, events, abort: () => given.abort(), end: undefined }
  void client
    .call({
      step: 'heartbeat',
      api: 'Heartbeat',
      body: () => ({ groupId: 'g', generationId: 1, memberId: 'm' }),
      errorCodeOf: ({ errorCode }) => errorCode,
      timeoutMs: 1_000,
      signal: given.signal,
      isConnectionBlocked: () => isBlocked,
    })
    .then((end) => (result.end = end))
  return result
}

test('pauses grow to one second while brokers do not answer, and events name step and reason', async () => {
  const coordinator = new ScriptedCoordinator()
  for (let i = 0; i < 6; i++) coordinator.next('Heartbeat', () => Promise.reject(brokenConnection()))
  const call = calling(coordinator)
  await coordinator.clock.advance(10_000)
  assert.equal(call.end?.kind, 'answered')
  const pauses = call.events.flatMap((event) => (event.kind === 'retrying' ? [event] : []))
  assert.deepEqual(
    pauses.map(({ pauseMs }) => pauseMs),
    [100, 200, 400, 800, 1_000, 1_000],
  )
  assert.ok(
    pauses.every(({ step, reason }) => step === 'heartbeat' && reason.includes('the connection broke')),
  )
  assert.deepEqual(
    pauses.map(({ attempt, error }) => [attempt, error?.code]),
    [0, 1, 2, 3, 4, 5].map((attempt) => [attempt, 'KD_KAFKA_UNREACHABLE']),
  )
})

test('a refusal that passes is an event without an error, and a connection that broke during its handshake is repeated', async () => {
  const coordinator = new ScriptedCoordinator()
  coordinator.refuse('Heartbeat', 'COORDINATOR_LOAD_IN_PROGRESS')
  const cut = new PipelineError('KD_KAFKA_TLS_FAILED', 'cut', {}, { retryable: true })
  coordinator.next('Heartbeat', () => Promise.reject(cut))
  const call = calling(coordinator)
  await coordinator.clock.advance(10_000)
  assert.equal(call.end?.kind, 'answered')
  assert.deepEqual(
    call.events.flatMap((event) => (event.kind === 'retrying' ? [event.error] : [])),
    [undefined, cut],
  )
})

test('an aborted call ends at once, wherever it waits', async () => {
  for (const wait of ['look-up', 'response', 'pause', 'before'] as const) {
    const coordinator = new ScriptedCoordinator()
    if (wait === 'look-up') coordinator.cluster.coordinator = () => NEVER
    if (wait === 'response') coordinator.next('Heartbeat', () => NEVER)
    if (wait === 'pause') coordinator.next('Heartbeat', () => Promise.reject(brokenConnection()))
    const call = calling(coordinator)
    if (wait === 'before') call.abort()
    await coordinator.clock.advance(10)
    if (wait !== 'before') assert.equal(call.end, undefined, wait)
    call.abort()
    await coordinator.clock.advance(1)
    assert.equal(call.end?.kind, 'aborted', wait)
    assert.equal(coordinator.clock.sleepers, 0)
  }
})

test('a permanent error ends the call', async () => {
  for (const error of [
    new PipelineError('KD_KAFKA_AUTH_FAILED', 'no'),
    new PipelineError('KD_SOURCE_FAILED', 'a malformed response'),
    new PipelineError('KD_KAFKA_UNREACHABLE', 'closed', {}, { retryable: false }),
    new TypeError('a programming error'),
  ]) {
    const coordinator = new ScriptedCoordinator()
    coordinator.next('Heartbeat', () => Promise.reject(error))
    const call = calling(coordinator)
    await coordinator.clock.advance(1)
    assert.equal(call.end?.kind, 'failed')
    assert.equal(call.end.error, error instanceof PipelineError ? error : call.end.error)
    assert.equal(call.end.error.code, error instanceof PipelineError ? error.code : 'KD_SOURCE_FAILED')
  }
})

test('other requests use another connection to the same node while a join blocks the first', async () => {
  const coordinator = new ScriptedCoordinator()
  const asked: string[] = []
  const broker = coordinator.cluster.broker.bind(coordinator.cluster)
  coordinator.cluster.broker = (nodeId) => {
    asked.push(`broker ${nodeId}`)
    return broker(nodeId)
  }
  const call = calling(coordinator, true)
  await coordinator.clock.advance(1)
  assert.equal(call.end?.kind, 'answered')
  assert.deepEqual(asked, ['broker 1'])
})

test('a thrown value of any type becomes a PipelineError', () => {
  const known = new PipelineError('KD_TOPIC_MISSING', 'x')
  assert.equal(pipelineErrorOf(known), known)
  assert.match(pipelineErrorOf('text').message, /text/)
})
