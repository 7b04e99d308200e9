import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchSession, type FetchPartitionRequest } from '../../../src/kafka/fetch/fetch-session.ts'
import type { ResponseBody } from '../../../src/kafka/wire/apis.ts'
import { apiCodecOf } from '../../../src/kafka/wire/codec.ts'
import { decodeStructure } from '../../../src/kafka/wire/decode.ts'
import { encodeStructure } from '../../../src/kafka/wire/encode.ts'

const ID = '1'.repeat(32)
const OTHER_ID = '2'.repeat(32)

function wanted(
  partition: number,
  offset: bigint,
  more: Partial<FetchPartitionRequest<string>> = {},
): FetchPartitionRequest<string> {
  return {
    topic: 't',
    topicId: ID,
    partition,
    leaderEpoch: 1,
    offset,
    lastFetchedEpoch: -1,
    context: `${partition}@${offset}`,
    ...more,
  }
}

/** A response as it comes from a broker. */
function response(
  sessionId: number,
  partitions: readonly number[],
  { topic = 't', topicId = ID, version = 17 } = {},
): ResponseBody<'Fetch'> {
  const codec = apiCodecOf('Fetch', version)
  const responses =
    partitions.length === 0
      ? []
      : [
          {
            ...(version > 12 ? { topicId } : { topic }),
            partitions: partitions.map((partitionIndex) => ({
              partitionIndex,
              errorCode: 0,
              highWatermark: 1n,
              records: null,
            })),
          },
        ]
  return decodeStructure(codec.readResponse, encodeStructure(codec.writeResponse, { sessionId, responses }))
}

const asked = (fields: ReturnType<FetchSession<string>['next']>): unknown => ({
  id: fields.sessionId,
  epoch: fields.sessionEpoch,
  topics: fields.topics.flatMap(({ partitions }) =>
    partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset]),
  ),
  forgotten: fields.forgottenTopicsData.flatMap(({ partitions }) => partitions ?? []),
})

test('A session sends all partitions once, and then only changes', () => {
  const session = new FetchSession<string>(100)
  assert.deepEqual(asked(session.next([wanted(0, 5n), wanted(1, 6n)])), {
    id: 0,
    epoch: 0,
    topics: [
      [0, 5n],
      [1, 6n],
    ],
    forgotten: [],
  })
  const answered = session.accept(response(77, [0, 1]))
  assert.deepEqual(
    answered?.map((each) => each.request.context),
    ['0@5', '1@6'],
  )
  assert.deepEqual(asked(session.next([wanted(0, 5n), wanted(1, 8n), wanted(2, 0n)])), {
    id: 77,
    epoch: 1,
    topics: [
      [1, 8n],
      [2, 0n],
    ],
    forgotten: [],
  })
  // The response contains only news; the context is that of the last request, even if nothing changed for the broker.
  session.accept(response(77, [2]))
  session.next([wanted(0, 5n, { context: 'sought' }), wanted(2, 0n)])
  assert.equal(session.accept(response(77, [0]))?.[0]?.request.context, 'sought')
  assert.deepEqual(asked(session.next([wanted(2, 0n)])), { id: 77, epoch: 3, topics: [], forgotten: [0] })
})

test('Partitions that are no longer fetched are removed from the session, and sent again when they return', () => {
  const session = new FetchSession<string>(100)
  session.next([wanted(0, 1n), wanted(1, 1n)])
  session.accept(response(7, [0, 1]))
  assert.deepEqual(asked(session.next([wanted(1, 1n)])), { id: 7, epoch: 1, topics: [], forgotten: [0] })
  session.accept(response(7, []))
  assert.deepEqual(asked(session.next([wanted(0, 1n), wanted(1, 1n)])), {
    id: 7,
    epoch: 2,
    topics: [[0, 1n]],
    forgotten: [],
  })
})

test('A topic that was created again is another topic for the session', () => {
  const session = new FetchSession<string>(100)
  session.next([wanted(0, 1n)])
  session.accept(response(7, [0]))
  const fields = session.next([wanted(0, 0n, { topicId: OTHER_ID })])
  assert.deepEqual(
    fields.topics.map(({ topicId }) => topicId),
    [OTHER_ID],
  )
  assert.deepEqual(
    fields.forgottenTopicsData.map(({ topicId }) => topicId),
    [ID],
  )
})

test('If one topic has no id, all topics are identified by name, in an older version and a new session', () => {
  const session = new FetchSession<string>(100)
  assert.equal(session.next([wanted(0, 1n)]).versionMax, undefined)
  session.accept(response(7, [0]))
  const fields = session.next([wanted(0, 1n), wanted(0, 0n, { topic: 'u', topicId: undefined })])
  assert.equal(fields.versionMax, 12)
  assert.deepEqual([fields.sessionId, fields.sessionEpoch], [7, 0])
  assert.deepEqual(
    fields.topics.map(({ topic }) => topic),
    ['t', 'u'],
  )
  // The response must contain all partitions.
  assert.equal(session.accept(response(8, [0], { version: 12 })), undefined)
})

test('A broker without sessions gets all partitions in each request', () => {
  const session = new FetchSession<string>(100)
  for (const offset of [1n, 1n, 2n]) {
    assert.deepEqual(asked(session.next([wanted(0, offset)])), {
      id: 0,
      epoch: 0,
      topics: [[0, offset]],
      forgotten: [],
    })
    assert.equal(session.accept(response(0, [0]))?.length, 1)
  }
})

test('A session that ended at the broker is started again; one that may still exist there is replaced', () => {
  const session = new FetchSession<string>(100)
  const open = (): void => {
    session.next([wanted(0, 1n)])
    session.accept(response(7, [0]))
  }
  open()
  session.accept(response(0, []))
  assert.equal(session.next([wanted(0, 1n)]).sessionId, 0)
  session.accept(response(7, [0]))
  session.replace()
  const replaced = session.next([wanted(0, 1n)])
  assert.deepEqual([replaced.sessionId, replaced.sessionEpoch, replaced.topics.length], [7, 0, 1])
  session.accept(response(8, [0]))
  assert.deepEqual([session.end()?.sessionId, session.end()], [8, undefined])
})

test('A response that lacks requested partitions, or has others, is discarded', () => {
  const session = new FetchSession<string>(100)
  session.next([wanted(0, 1n), wanted(1, 1n)])
  // As a throttling broker responds.
  assert.equal(session.accept(response(0, [])), undefined)
  session.next([wanted(0, 1n), wanted(1, 1n)])
  session.accept(response(7, [0, 1]))
  session.next([wanted(0, 1n), wanted(1, 1n)])
  assert.equal(session.accept(response(7, [2])), undefined)
  assert.equal(session.next([wanted(0, 1n), wanted(1, 1n)]).sessionEpoch, 0)
})
