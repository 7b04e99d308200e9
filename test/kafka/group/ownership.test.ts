import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ownership } from '../../../src/kafka/group/ownership.ts'

test('a partition that was dropped and taken again has a new epoch', () => {
  const ownership = new Ownership()
  const [first] = ownership.take([{ topic: 'a', partition: 0 }])
  assert.ok(first !== undefined && ownership.owns(first))
  ownership.drop([first])
  assert.ok(!ownership.owns(first))
  const [second] = ownership.take([{ topic: 'a', partition: 0 }])
  assert.ok(second !== undefined && second.epoch > first.epoch)
  // A late drop under the first epoch changes nothing.
  ownership.drop([first])
  assert.ok(ownership.owns(second) && !ownership.owns(first))
})

test('owned partitions are ordered, and taking one twice throws', () => {
  const ownership = new Ownership()
  ownership.take([
    { topic: 'b', partition: 0 },
    { topic: 'a', partition: 10 },
    { topic: 'a', partition: 9 },
  ])
  assert.deepEqual(
    ownership.all().map(({ topic, partition }) => `${topic}${partition}`),
    ['a9', 'a10', 'b0'],
  )
  assert.equal(ownership.size, 3)
  assert.throws(() => ownership.take([{ topic: 'b', partition: 0 }]), /taken twice/)
})
