import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Handover } from '../../../src/kafka/group/handover.ts'
import { partitionsOf } from './support/scripted-coordinator.ts'
import { Recording } from './support/recording.ts'
import { SimClock } from './support/sim-clock.ts'

function setUp(): { clock: SimClock; recording: Recording; handover: Handover } {
  const clock = new SimClock()
  const recording = new Recording()
  return { clock, recording, handover: new Handover(recording, clock, recording.onEvent) }
}

test('partitions are owned during their revocation, and not afterwards', async () => {
  const { clock, recording, handover } = setUp()
  handover.assign(partitionsOf('a', 0, 1))
  const [first, second] = handover.ownership.all()
  assert.ok(first !== undefined && second !== undefined)
  recording.revoking = async () => {
    assert.ok(handover.ownership.owns(first))
    await clock.sleep(300)
  }
  const end = handover.revoke([first], 1_000)
  await clock.advance(301)
  assert.equal(await end, 'revoked')
  assert.ok(!handover.ownership.owns(first) && handover.ownership.owns(second))
  assert.equal(clock.sleepers, 0)
  const revoked = recording.events.find(({ kind }) => kind === 'revoked')
  assert.deepEqual(revoked, { kind: 'revoked', partitions: [first], tookMs: 300 })
})

test('late and lost partitions are reported as lost before the signal aborts', async () => {
  for (const end of ['late', 'lost'] as const) {
    const { clock, recording, handover } = setUp()
    handover.assign(partitionsOf('a', 0, 1))
    const [first] = handover.ownership.all()
    assert.ok(first !== undefined)
    recording.news()
    const order: string[] = []
    recording.revoking = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          order.push(...recording.news(), 'aborted')
          // Ignored: the revocation is over.
          reject(new Error('aborted'))
        })
      })
    const ended = handover.revoke([first], 1_000)
    await clock.advance(500)
    if (end === 'lost') handover.loseAll('the coordinator forgot this member')
    await clock.advance(501)
    assert.equal(await ended, end)
    assert.deepEqual(order, ['revoke a/0', end === 'late' ? 'lost a/0' : 'lost a/0 a/1', 'aborted'])
    assert.equal(handover.ownership.owns(first), false)
    assert.equal(clock.sleepers, 0)
  }
})

test('no callback is called without partitions', async () => {
  const { recording, handover } = setUp()
  handover.assign([])
  assert.equal(await handover.revoke([], 1_000), 'revoked')
  handover.loseAll('a reason')
  await handover.idle()
  assert.deepEqual(recording.heard, [])
  assert.deepEqual(recording.events, [])
})

test('a rejected revocation loses its partitions', async () => {
  const { recording, handover } = setUp()
  handover.assign(partitionsOf('a', 0))
  recording.revoking = () => Promise.reject(new Error('no'))
  await assert.rejects(handover.revoke(handover.ownership.all(), 1_000), /no/)
  assert.deepEqual(recording.heard, ['assign a/0', 'revoke a/0', 'lost a/0'])
  await handover.idle()
})
