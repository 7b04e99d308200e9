// Goal: a member reacts to every error code of every step as expected.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode, PipelineError } from '../../../src/core/errors.ts'
import { type GroupStep, GROUP_REACTIONS, groupReactionTo } from '../../../src/kafka/group/group-reactions.ts'
import type { ApiName } from '../../../src/kafka/wire/apis.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../src/kafka/wire/error-codes.ts'
import { ScriptedCoordinator } from './support/scripted-coordinator.ts'
import { codeOf } from './support/wire-link.ts'

/** Observed reaction of a member. */
type Seen =
  /** Sends the request to the same node again and keeps its partitions, without callbacks. */
  | 'asks again'
  /** Sends the request to the new coordinator. */
  | 'asks elsewhere'
  /** Rejoins with the same id and keeps its partitions. */
  | 'rejoins'
  /** Joins with the id in the response. */
  | 'takes the id'
  /** Loses all partitions and joins with the same id. */
  | 'loses'
  /** Loses all partitions and joins without an id. */
  | 'loses its id'
  /** Continues; only the request fails. */
  | 'refuses'
  | { readonly stops: ErrorCode; readonly says: RegExp; readonly retryable: boolean }

const OTHER_PROTOCOL: Seen = {
  stops: 'KD_CONFIG_INVALID',
  says: /group g is used by another kind of consumer: .*protocol type.* no assignor .*cooperative-sticky.*choose another kafka\.groupId/,
  retryable: false,
}
const NOT_CONVERTED: Seen = {
  stops: 'KD_CONFIG_INVALID',
  says: /group g is used by another kind of consumer, .*cannot convert it.*choose another kafka\.groupId/,
  retryable: false,
}
const FORBIDDEN: Seen = {
  stops: 'KD_KAFKA_FORBIDDEN',
  says: /the permission READ on group g/,
  retryable: false,
}
const FULL: Seen = {
  stops: 'KD_SOURCE_FAILED',
  says: /group g has the maximum number of members/,
  retryable: true,
}
const FENCED: Seen = {
  stops: 'KD_SOURCE_FAILED',
  says: /took over instance id i1 of group g/,
  retryable: false,
}
const GROUP_ID: Seen = { stops: 'KD_CONFIG_INVALID', says: /refuse g as a group id/, retryable: false }
const SESSION: Seen = { stops: 'KD_CONFIG_INVALID', says: /session timeout/, retryable: false }
const VERSION: Seen = { stops: 'KD_KAFKA_REFUSED', says: /do not support a request/, retryable: false }
const INVALID: Seen = { stops: 'KD_KAFKA_REFUSED', says: /group g .*INVALID_REQUEST/, retryable: false }
const TOPICS: Seen = {
  stops: 'KD_KAFKA_FORBIDDEN',
  says: /DESCRIBE on all topics that group g/,
  retryable: false,
}
const NO_EPOCHS: Seen = {
  stops: 'KD_CONFIG_INVALID',
  says: /do not support the group protocol "consumer"/,
  retryable: false,
}
const ASSIGNOR: Seen = { stops: 'KD_CONFIG_INVALID', says: /do not support the assignor/, retryable: false }

const COMMON: Readonly<Record<string, Seen>> = {
  COORDINATOR_LOAD_IN_PROGRESS: 'asks again',
  COORDINATOR_NOT_AVAILABLE: 'asks elsewhere',
  NOT_COORDINATOR: 'asks elsewhere',
  GROUP_AUTHORIZATION_FAILED: FORBIDDEN,
  INVALID_GROUP_ID: GROUP_ID,
  UNSUPPORTED_VERSION: VERSION,
  INVALID_REQUEST: INVALID,
  // Not in the table: treated by Kafka's flag, or as unknown.
  REQUEST_TIMED_OUT: 'asks again',
  POLICY_VIOLATION: {
    stops: 'KD_KAFKA_REFUSED',
    says: /group g returned POLICY_VIOLATION/,
    retryable: false,
  },
  UNKNOWN_SERVER_ERROR: {
    stops: 'KD_SOURCE_FAILED',
    says: /coordinator of group g returned UNKNOWN_SERVER_ERROR/,
    retryable: true,
  },
}

const EXPECTED: Readonly<Record<Exclude<GroupStep, 'leave'>, Readonly<Record<string, Seen>>>> = {
  join: {
    ...COMMON,
    MEMBER_ID_REQUIRED: 'takes the id',
    REBALANCE_IN_PROGRESS: 'rejoins',
    ILLEGAL_GENERATION: 'loses',
    UNKNOWN_MEMBER_ID: 'loses its id',
    FENCED_INSTANCE_ID: FENCED,
    INCONSISTENT_GROUP_PROTOCOL: OTHER_PROTOCOL,
    GROUP_MAX_SIZE_REACHED: FULL,
    INVALID_SESSION_TIMEOUT: SESSION,
  },
  sync: {
    ...COMMON,
    REBALANCE_IN_PROGRESS: 'rejoins',
    ILLEGAL_GENERATION: 'loses',
    UNKNOWN_MEMBER_ID: 'loses its id',
    FENCED_INSTANCE_ID: FENCED,
    INCONSISTENT_GROUP_PROTOCOL: OTHER_PROTOCOL,
  },
  heartbeat: {
    ...COMMON,
    REBALANCE_IN_PROGRESS: 'rejoins',
    ILLEGAL_GENERATION: 'loses',
    UNKNOWN_MEMBER_ID: 'loses its id',
    FENCED_INSTANCE_ID: FENCED,
  },
  commit: {
    ...COMMON,
    REBALANCE_IN_PROGRESS: 'rejoins',
    STALE_MEMBER_EPOCH: 'asks again',
    ILLEGAL_GENERATION: 'loses',
    FENCED_MEMBER_EPOCH: 'loses',
    UNKNOWN_MEMBER_ID: 'loses its id',
    GROUP_ID_NOT_FOUND: 'loses its id',
    FENCED_INSTANCE_ID: FENCED,
    UNKNOWN_TOPIC_OR_PARTITION: 'refuses',
    UNKNOWN_TOPIC_ID: 'refuses',
    TOPIC_AUTHORIZATION_FAILED: 'refuses',
    OFFSET_METADATA_TOO_LARGE: 'refuses',
    INVALID_COMMIT_OFFSET_SIZE: 'refuses',
  },
  offsets: {
    ...COMMON,
    UNSTABLE_OFFSET_COMMIT: 'asks again',
    STALE_MEMBER_EPOCH: 'asks again',
    FENCED_MEMBER_EPOCH: 'loses',
    UNKNOWN_MEMBER_ID: 'loses its id',
    GROUP_ID_NOT_FOUND: 'refuses',
    UNKNOWN_TOPIC_OR_PARTITION: 'refuses',
    UNKNOWN_TOPIC_ID: 'refuses',
    TOPIC_AUTHORIZATION_FAILED: 'refuses',
  },
  'consumer-join': {
    ...COMMON,
    UNSUPPORTED_VERSION: NO_EPOCHS,
    UNKNOWN_MEMBER_ID: 'loses',
    FENCED_MEMBER_EPOCH: 'loses',
    UNRELEASED_INSTANCE_ID: 'asks again',
    FENCED_INSTANCE_ID: FENCED,
    GROUP_ID_NOT_FOUND: NOT_CONVERTED,
    INCONSISTENT_GROUP_PROTOCOL: OTHER_PROTOCOL,
    GROUP_MAX_SIZE_REACHED: FULL,
    TOPIC_AUTHORIZATION_FAILED: TOPICS,
    UNSUPPORTED_ASSIGNOR: ASSIGNOR,
  },
  'consumer-heartbeat': {
    ...COMMON,
    UNKNOWN_MEMBER_ID: 'loses',
    FENCED_MEMBER_EPOCH: 'loses',
    GROUP_ID_NOT_FOUND: 'loses',
    UNRELEASED_INSTANCE_ID: FENCED,
    FENCED_INSTANCE_ID: FENCED,
    TOPIC_AUTHORIZATION_FAILED: TOPICS,
  },
}

const API_OF: Readonly<Record<GroupStep, ApiName>> = {
  join: 'JoinGroup',
  sync: 'SyncGroup',
  heartbeat: 'Heartbeat',
  leave: 'LeaveGroup',
  commit: 'OffsetCommit',
  offsets: 'OffsetFetch',
  'consumer-join': 'ConsumerGroupHeartbeat',
  'consumer-heartbeat': 'ConsumerGroupHeartbeat',
}

/** Brings a member to the step, refuses its request once, and checks the reaction. */
async function watch(
  step: Exclude<GroupStep, 'leave'>,
  name: BrokerErrorName,
  expected: Seen,
): Promise<void> {
  const coordinator = new ScriptedCoordinator()
  const { clock, recording } = coordinator
  const isEpoch = step.startsWith('consumer-')
  const isStatic = expected === FENCED || name === 'UNRELEASED_INSTANCE_ID'
  const member = coordinator.member({
    ...(isEpoch ? { protocol: 'consumer' as const } : {}),
    ...(isStatic ? { groupInstanceId: 'i1' } : {}),
  })
  const api = API_OF[step]
  const isFirst = step === 'consumer-join' || name === 'MEMBER_ID_REQUIRED'
  if (!isFirst) await clock.advance(1)
  const idBefore = member.status().memberId
  recording.news()
  const joins = coordinator.sent('JoinGroup').length
  coordinator.refuse(api, name)
  // A join or sync follows a rebalance that others start.
  if (step === 'join' || step === 'sync') coordinator.refuse('Heartbeat', 'REBALANCE_IN_PROGRESS')
  const before = coordinator.sent(api).length
  let outcome: unknown
  if (step === 'commit') {
    member.commit(member.owned().map((one) => ({ ...one, next: 1n }))).then(
      (value) => (outcome = value),
      (error: unknown) => (outcome = error),
    )
  }
  if (step === 'offsets') {
    member.committedOffsets([{ topic: 'a', partition: 0 }]).then(
      (value) => (outcome = value),
      (error: unknown) => (outcome = error),
    )
  }
  coordinator.node = 2
  await clock.advance(step === 'commit' || step === 'offsets' ? 400 : 3_700)

  const asked = coordinator.sent(api).length - before
  const news = recording.news()
  const lastJoin = coordinator.sent('JoinGroup').at(-1)
  if (typeof expected === 'object') {
    const failure: PipelineError = coordinator.failure()
    assert.equal(failure.code, expected.stops)
    assert.match(failure.message, expected.says)
    assert.equal(failure.retryable, expected.retryable)
    assert.equal(member.status().state, 'failed')
    assert.deepEqual(news, isFirst ? [`failed ${failure.code}`] : ['lost a/0 a/1', `failed ${failure.code}`])
    assert.equal(clock.sleepers, 0, 'no timer is left')
    return
  }
  assert.deepEqual(recording.failures, [])
  assert.equal(member.status().state, 'stable')
  const gotThem = isFirst ? ['assign a/0 a/1'] : []
  switch (expected) {
    case 'asks again':
      assert.ok(asked >= 2)
      assert.equal(member.status().coordinator, 1)
      assert.deepEqual(news, gotThem)
      break
    case 'asks elsewhere':
      assert.ok(asked >= 2)
      assert.equal(member.status().coordinator, 2)
      assert.deepEqual(news, gotThem)
      break
    case 'rejoins':
      assert.ok(coordinator.sent('JoinGroup').length > joins)
      assert.equal(lastJoin?.memberId, idBefore)
      assert.deepEqual(news, [])
      break
    case 'takes the id':
      assert.equal(lastJoin?.memberId, 'm1')
      assert.deepEqual(news, gotThem)
      break
    case 'loses':
    case 'loses its id': {
      const anew = coordinator.sent('ConsumerGroupHeartbeat').slice(before + 1)
      const asStranger = coordinator
        .sent('JoinGroup')
        .slice(joins)
        .filter(({ memberId }) => memberId === '')
      if (isEpoch) assert.equal(anew[0]?.memberEpoch, 0)
      else assert.equal(asStranger.length > 0, expected === 'loses its id')
      if (expected === 'loses') assert.equal(member.status().memberId, isEpoch ? 'made-here' : idBefore)
      assert.deepEqual(news, isFirst ? gotThem : ['lost a/0 a/1', 'assign a/0 a/1'])
      break
    }
    case 'refuses':
      assert.equal(asked, 1)
      assert.deepEqual(news, [])
      if (step === 'commit')
        assert.deepEqual((outcome as { refused: { error: string }[] }).refused[0]?.error, name)
      else assert.deepEqual(outcome, [])
  }
  if (step === 'commit' || step === 'offsets') assert.ok(outcome !== undefined && !(outcome instanceof Error))
}

for (const [step, rows] of Object.entries(EXPECTED)) {
  test(`every reaction of the step ${step}`, async (t) => {
    for (const [name, expected] of Object.entries(rows)) {
      await t.test(`${step}: ${name}`, () =>
        watch(step as Exclude<GroupStep, 'leave'>, name as BrokerErrorName, expected),
      )
    }
  })
}

test('every entry of the table is tested here', () => {
  for (const [step, row] of Object.entries(GROUP_REACTIONS)) {
    if (step === 'leave') continue
    const expected = Object.keys(EXPECTED[step as keyof typeof EXPECTED])
    assert.deepEqual(
      Object.keys(row).filter((name) => !expected.includes(name)),
      [],
      step,
    )
  }
})

test('a member leaves within five seconds, whatever the coordinator returns', async () => {
  const names = [...Object.keys(GROUP_REACTIONS.leave), 'UNKNOWN_SERVER_ERROR'] as BrokerErrorName[]
  for (const name of names) {
    const coordinator = new ScriptedCoordinator()
    const member = coordinator.member()
    await coordinator.clock.advance(1)
    for (let attempt = 0; attempt < 100; attempt++) coordinator.refuse('LeaveGroup', name)
    let isOver = false
    void member.stop().then(() => (isOver = true))
    await coordinator.clock.advance(5_001)
    assert.ok(isOver, name)
    assert.equal(member.status().state, 'left')
    assert.deepEqual(coordinator.recording.failures, [])
    assert.equal(coordinator.clock.sleepers, 0)
    const isRetried = ['retry', 'find-coordinator'].includes(groupReactionTo('leave', codeOf(name)).kind)
    assert.equal(coordinator.sent('LeaveGroup').length > 1, isRetried, name)
  }
})

test('an unknown code ends the membership, and the error contains its number', () => {
  const reaction = groupReactionTo('heartbeat', 999)
  assert.match(reaction.kind === 'stop' ? reaction.detail : '', /ERROR_999 \(heartbeat\)/)
})

test('every code of the protocol has a reaction in every step', () => {
  for (const step of Object.keys(GROUP_REACTIONS) as GroupStep[]) {
    for (const { code, retriable } of Object.values(BROKER_ERRORS)) {
      const { kind } = groupReactionTo(step, code)
      if (retriable && !(kind === 'retry' || kind === 'find-coordinator' || kind === 'refuse')) {
        assert.fail(`${step} ends by a code that may pass: ${code}`)
      }
    }
  }
})

test('an instance id that is never released ends the membership after a minute and a half', async () => {
  const coordinator = new ScriptedCoordinator()
  for (let attempt = 0; attempt < 2_000; attempt++)
    coordinator.refuse('ConsumerGroupHeartbeat', 'UNRELEASED_INSTANCE_ID')
  coordinator.member({ protocol: 'consumer', groupInstanceId: 'i1' })
  await coordinator.clock.advance(89_000)
  assert.deepEqual(coordinator.recording.failures, [])
  await coordinator.clock.advance(2_000)
  assert.match(coordinator.failure().message, /instance id i1 of group g still belongs to another member/)
  assert.equal(coordinator.failure().retryable, true)
})
