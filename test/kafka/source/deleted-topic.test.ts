// Two topics of one configuration: each is read by a member of its own, in one group.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../src/core/clock.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { eventually, rangesOf, read } from '../reading.ts'
import { numbered, testTopic } from '../topic.ts'

/** Speed of the sources' clock, relative to real time: a topic counts as deleted after more than half a minute. */
const SPEED = 4

const clock: Clock = {
  now: () => Date.now() * SPEED,
  sleep: (ms, signal) => sleep(ms / SPEED, undefined, signal === undefined ? {} : { signal }),
}

test('the deletion of a topic ends its source with KD_TOPIC_MISSING, and another topic of the group is read on', async () => {
  const [kept, deleted] = [await testTopic(2), await testTopic(2)]
  const options = {
    groupId: nameForTests('group'),
    until: 'stopped',
    heartbeatMs: 2_000,
    sessionTimeoutMs: 6_000,
    clock,
  } as const
  const staying = read(kept, options)
  const leaving = read(deleted, options)
  for (const topic of [kept, deleted]) await topic.produce([...numbered(0, 10), ...numbered(1, 10)])
  const rowsOf = (reading: typeof staying): number => reading.values(0).length + reading.values(1).length
  await eventually(() => rowsOf(staying) === 20 && rowsOf(leaving) === 20, 'the first records')
  await deleted.admin.deleteTopics({ topics: [deleted.topic] })
  await assert.rejects(leaving.done, (error: unknown) => {
    assert.ok(error instanceof PipelineError)
    assert.deepEqual(
      [error.code, error.retryable, error.context['topic']],
      ['KD_TOPIC_MISSING', false, deleted.topic],
    )
    return true
  })
  // Before and after the member of the deleted topic leaves the group.
  await kept.produce([...numbered(0, 10, 10), ...numbered(1, 10, 10)])
  await eventually(() => rowsOf(staying) === 40, 'the records after the deletion')
  await leaving.source.close()
  await kept.produce([...numbered(0, 10, 20), ...numbered(1, 10, 20)])
  await eventually(() => rowsOf(staying) === 60, 'the records after the member left')
  for (const partition of [0, 1]) {
    let follows: bigint | undefined
    for (const range of rangesOf(staying, partition)) {
      assert.equal(range.follows, follows)
      follows = range.last
    }
    assert.equal(follows, 29n)
  }
  await staying.source.close()
})
