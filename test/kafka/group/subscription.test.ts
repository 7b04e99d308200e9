import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { PipelineError } from '../../../src/core/errors.ts'
import { comparePartitions } from '../../../src/kafka/group/partitions.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type GroupSubscription,
} from '../../../src/kafka/group/subscription.ts'

const EXAMPLE: GroupSubscription = {
  topics: ['orders', 'ß'],
  userData: Buffer.of(0, 0, 0, 7),
  owned: [
    { topic: 'orders', partition: 0 },
    { topic: 'orders', partition: 3 },
    { topic: 'ß', partition: 1 },
  ],
  ownedGeneration: 7,
  rackId: 'eu-1',
}

const partitions = fc
  .uniqueArray(
    fc.record({ topic: fc.string({ maxLength: 5 }), partition: fc.nat(1000) }, { noNullPrototype: true }),
    {
      maxLength: 20,
      selector: ({ topic, partition }) => `${partition}/${topic}`,
    },
  )
  .map((all) => all.sort(comparePartitions))

test('the bytes of version 3 match the specification', () => {
  const bytes = encodeSubscription({ ...EXAMPLE, topics: ['t'], owned: [{ topic: 't', partition: 2 }] }, 3)
  const hex =
    '0003' + // version
    '00000001' +
    '0001' +
    '74' + // topics
    '00000004' +
    '00000007' + // user data
    '00000001' +
    '0001' +
    '74' +
    '00000001' +
    '00000002' + // owned
    '00000007' + // generation
    '0004' +
    '65752d31' // rack
  assert.equal(Buffer.from(bytes).toString('hex'), hex)
  const assignment = encodeAssignment([{ topic: 't', partition: 2 }])
  assert.equal(
    Buffer.from(assignment).toString('hex'),
    '0000' + '000000010001740000000100000002' + '00000000',
  )
})

test('each version carries its fields', () => {
  assert.deepEqual(decodeSubscription(encodeSubscription(EXAMPLE, 3)), EXAMPLE)
  assert.deepEqual(decodeSubscription(encodeSubscription(EXAMPLE, 2)), { ...EXAMPLE, rackId: null })
  // In version 1 the generation is in the user data.
  assert.deepEqual(decodeSubscription(encodeSubscription(EXAMPLE, 1)), { ...EXAMPLE, rackId: null })
  assert.deepEqual(decodeSubscription(encodeSubscription({ ...EXAMPLE, userData: null }, 1)), {
    ...EXAMPLE,
    rackId: null,
    userData: null,
    ownedGeneration: -1,
  })
  assert.deepEqual(decodeSubscription(encodeSubscription({ ...EXAMPLE, userData: null }, 0)), {
    ...EXAMPLE,
    owned: [],
    ownedGeneration: -1,
    userData: null,
    rackId: null,
  })
})

test('known fields of a newer version are read', () => {
  const bytes = Buffer.concat([encodeSubscription(EXAMPLE, 3), Buffer.from('more')])
  bytes.writeInt16BE(9, 0)
  assert.deepEqual(decodeSubscription(bytes), EXAMPLE)
})

test('old workers read the topics of every version, and new ones read what old ones write', () => {
  const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol
  assert.deepEqual(MemberMetadata.decode(Buffer.from(encodeSubscription(EXAMPLE, 3)))?.topics, EXAMPLE.topics)
  const old = MemberMetadata.encode({ version: 0, topics: ['a', 'b'], userData: Buffer.alloc(0) })
  assert.deepEqual(decodeSubscription(old), {
    topics: ['a', 'b'],
    userData: Buffer.alloc(0),
    owned: [],
    ownedGeneration: -1,
    rackId: null,
  })
  const decoded = MemberAssignment.decode(Buffer.from(encodeAssignment(EXAMPLE.owned)))
  assert.deepEqual({ ...decoded?.assignment }, { orders: [0, 3], ß: [1] })
  const assignment = MemberAssignment.encode({
    version: 0,
    assignment: { orders: [0, 3], ß: [1] },
    userData: Buffer.alloc(0),
  })
  assert.deepEqual(decodeAssignment(assignment), EXAMPLE.owned)
})

test('zero bytes are an empty assignment', () => {
  assert.deepEqual(decodeAssignment(new Uint8Array(0)), [])
})

test('property: decoding returns what was encoded', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          topics: fc.array(fc.string()),
          userData: fc.option(fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))),
          owned: partitions,
          ownedGeneration: fc.integer({ min: -1, max: 1e6 }),
          rackId: fc.option(fc.string()),
        },
        { noNullPrototype: true },
      ),
      (subscription) => {
        assert.deepEqual(decodeSubscription(encodeSubscription(subscription, 3)), subscription)
        assert.deepEqual(decodeAssignment(encodeAssignment(subscription.owned)), subscription.owned)
      },
    ),
  )
})

test('property: truncated, changed or random bytes are an error or a value, within the memory bounds', () => {
  const original = encodeSubscription(EXAMPLE, 3)
  const attempt = (bytes: Uint8Array): void => {
    for (const decode of [decodeSubscription, decodeAssignment]) {
      try {
        const read = decode(bytes)
        assert.ok(JSON.stringify(read).length <= 200 + bytes.length * 60)
      } catch (error) {
        assert.ok(error instanceof PipelineError && error.code === 'KD_SOURCE_FAILED', String(error))
      }
    }
  }
  for (let end = 0; end < original.length; end++) attempt(original.subarray(0, end))
  fc.assert(
    fc.property(fc.nat(original.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      const changed = Uint8Array.from(original)
      changed.set(bytes.subarray(0, changed.length - at), at)
      attempt(changed)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), attempt), { numRuns: 2000 })
})

test('a wrong count is reported', () => {
  const bytes = Buffer.from('00017fffffff0000', 'hex')
  assert.throws(() => decodeSubscription(bytes), /2147483647/)
})
