import { type ErrorCode, PipelineError } from '../../core/errors.ts'
import { ASSIGNORS } from './assignors/assignors.ts'
import {
  BROKER_ERRORS,
  type BrokerErrorName,
  errorNameOf,
  isRetriable,
  refusalCodeOf,
} from '../wire/error-codes.ts'

/**
 * Names a request of a membership that the coordinator can refuse. The last two belong to the consumer protocol
 * (KIP-848).
 */
export type GroupStep =
  'join' | 'sync' | 'heartbeat' | 'leave' | 'commit' | 'offsets' | 'consumer-join' | 'consumer-heartbeat'

/** Describes the reaction of a member to an error code. */
export type GroupReaction =
  /** Sends the request again with backoff. */
  | { readonly kind: 'retry' }
  /** Looks up the coordinator again and sends the request there. */
  | { readonly kind: 'find-coordinator' }
  /** Rejoins with the same id and keeps its partitions. */
  | { readonly kind: 'rejoin' }
  /** Rejoins with the member id in the response. */
  | { readonly kind: 'take-id' }
  /** Loses all partitions and joins with the same id. */
  | { readonly kind: 'lose' }
  /** Loses all partitions and joins as a new member without an id. */
  | { readonly kind: 'lose-id' }
  /** Waits until the coordinator removes the former owner of the instance id. */
  | { readonly kind: 'await-release' }
  /** Fails only the request, or one partition in it. */
  | { readonly kind: 'refuse' }
  /** Ends the membership with an error. */
  | StopReaction

/**
 * Describes a reaction that ends the membership. In `detail`, `%g` stands for the group and `%i` for the instance id.
 */
interface StopReaction {
  readonly kind: 'stop'
  readonly code: ErrorCode
  readonly detail: string
  readonly retryable: boolean
}

const RETRY: GroupReaction = { kind: 'retry' }
const FIND_COORDINATOR: GroupReaction = { kind: 'find-coordinator' }
const REJOIN: GroupReaction = { kind: 'rejoin' }
const TAKE_ID: GroupReaction = { kind: 'take-id' }
const LOSE: GroupReaction = { kind: 'lose' }
const LOSE_ID: GroupReaction = { kind: 'lose-id' }
const AWAIT_RELEASE: GroupReaction = { kind: 'await-release' }
const REFUSE: GroupReaction = { kind: 'refuse' }

function stop(code: ErrorCode, detail: string, retryable = false): StopReaction {
  return { kind: 'stop', code, detail, retryable }
}

const OUR_ASSIGNORS = ASSIGNORS.map(({ name }) => name).join(', ')

/** Ends a membership if the group has members of another protocol type, or without a common assignor. */
export const INCONSISTENT_PROTOCOL: StopReaction = stop(
  'KD_CONFIG_INVALID',
  `group %g is used by another kind of consumer: its protocol type is not "consumer", or its members offer no assignor that this service has (${OUR_ASSIGNORS}); choose another kafka.groupId`,
)
/** Ends a membership if the brokers cannot convert the group to the consumer protocol (KIP-848). */
const CONVERSION_REFUSED = stop(
  'KD_CONFIG_INVALID',
  'group %g is used by another kind of consumer, and the brokers cannot convert it to the group protocol "consumer" (group.consumer.migration.policy); choose another kafka.groupId, or set kafka.groupProtocol to "classic" if its members are workers of this service',
)

/** Ends a membership if the brokers do not support the consumer protocol (KIP-848). */
export const CONSUMER_PROTOCOL_UNSUPPORTED: StopReaction = stop(
  'KD_CONFIG_INVALID',
  'the brokers do not support the group protocol "consumer"; set kafka.groupProtocol to "classic"',
)

/** Ends the membership of a static member if the brokers support only dynamic members. */
export const STATIC_MEMBERS_UNSUPPORTED: StopReaction = stop(
  'KD_CONFIG_INVALID',
  'the brokers are too old for kafka.groupInstanceId; remove it',
)

/** Ends the membership of a static member whose instance id was not released in time. */
export const INSTANCE_ID_UNRELEASED: StopReaction = stop(
  'KD_SOURCE_FAILED',
  'instance id %i of group %g still belongs to another member; set a unique kafka.groupInstanceId for each worker',
  true,
)

const FENCED = stop(
  'KD_SOURCE_FAILED',
  'another member took over instance id %i of group %g; set a unique kafka.groupInstanceId for each worker',
)
const GROUP_FULL = stop(
  'KD_SOURCE_FAILED',
  'group %g has the maximum number of members that the brokers allow (group.max.size)',
  true,
)
const FORBIDDEN = stop('KD_KAFKA_FORBIDDEN', 'expected the permission READ on group %g')
const TOPICS_FORBIDDEN = stop(
  'KD_KAFKA_FORBIDDEN',
  'expected the permission DESCRIBE on all topics that group %g subscribes to',
)
const REQUEST_REFUSED = stop(
  'KD_KAFKA_REFUSED',
  'the coordinator of group %g refuses a request as invalid (INVALID_REQUEST); check that the brokers support kafka.groupProtocol and kafka.groupInstanceId',
)
const SESSION_TIMEOUT_REFUSED = stop(
  'KD_CONFIG_INVALID',
  'the brokers refuse the session timeout; it must be within group.min.session.timeout.ms and group.max.session.timeout.ms',
)
const GROUP_ID_REFUSED = stop('KD_CONFIG_INVALID', 'the brokers refuse %g as a group id')
const VERSION_UNSUPPORTED = stop(
  'KD_KAFKA_REFUSED',
  'the brokers do not support a request that group members need',
)
const ASSIGNOR_UNSUPPORTED = stop(
  'KD_CONFIG_INVALID',
  'the brokers do not support the assignor that group %g requests',
)

/** Returns the error that ends a membership. */
export function stopErrorOf(
  { code, detail, retryable }: StopReaction,
  groupId: string,
  instanceId: string | null,
): PipelineError {
  const sentence = detail.replaceAll('%g', groupId).replaceAll('%i', instanceId ?? '')
  return new PipelineError(code, sentence, { groupId }, { retryable })
}

type Row = Readonly<Partial<Record<BrokerErrorName, GroupReaction>>>

/** Reactions that all steps share. */
const COMMON: Row = {
  COORDINATOR_LOAD_IN_PROGRESS: RETRY,
  COORDINATOR_NOT_AVAILABLE: FIND_COORDINATOR,
  NOT_COORDINATOR: FIND_COORDINATOR,
  GROUP_AUTHORIZATION_FAILED: FORBIDDEN,
  INVALID_GROUP_ID: GROUP_ID_REFUSED,
  UNSUPPORTED_VERSION: VERSION_UNSUPPORTED,
  INVALID_REQUEST: REQUEST_REFUSED,
}

/**
 * Maps each step and error code to the reaction of a member. Codes that are not listed are retried if Kafka marks them
 * as retriable, and end the membership otherwise.
 */
export const GROUP_REACTIONS: Readonly<Record<GroupStep, Row>> = {
  join: {
    ...COMMON,
    MEMBER_ID_REQUIRED: TAKE_ID,
    REBALANCE_IN_PROGRESS: REJOIN,
    ILLEGAL_GENERATION: LOSE,
    UNKNOWN_MEMBER_ID: LOSE_ID,
    FENCED_INSTANCE_ID: FENCED,
    INCONSISTENT_GROUP_PROTOCOL: INCONSISTENT_PROTOCOL,
    GROUP_MAX_SIZE_REACHED: GROUP_FULL,
    INVALID_SESSION_TIMEOUT: SESSION_TIMEOUT_REFUSED,
  },
  sync: {
    ...COMMON,
    REBALANCE_IN_PROGRESS: REJOIN,
    ILLEGAL_GENERATION: LOSE,
    UNKNOWN_MEMBER_ID: LOSE_ID,
    FENCED_INSTANCE_ID: FENCED,
    INCONSISTENT_GROUP_PROTOCOL: INCONSISTENT_PROTOCOL,
  },
  heartbeat: {
    ...COMMON,
    REBALANCE_IN_PROGRESS: REJOIN,
    ILLEGAL_GENERATION: LOSE,
    UNKNOWN_MEMBER_ID: LOSE_ID,
    FENCED_INSTANCE_ID: FENCED,
  },
  leave: {
    ...COMMON,
    // The coordinator has already removed the member.
    UNKNOWN_MEMBER_ID: REFUSE,
    FENCED_INSTANCE_ID: REFUSE,
    ILLEGAL_GENERATION: REFUSE,
    FENCED_MEMBER_EPOCH: REFUSE,
    GROUP_ID_NOT_FOUND: REFUSE,
  },
  commit: {
    ...COMMON,
    // The commit is sent again in the next generation.
    REBALANCE_IN_PROGRESS: REJOIN,
    STALE_MEMBER_EPOCH: RETRY,
    ILLEGAL_GENERATION: LOSE,
    FENCED_MEMBER_EPOCH: LOSE,
    UNKNOWN_MEMBER_ID: LOSE_ID,
    GROUP_ID_NOT_FOUND: LOSE_ID,
    FENCED_INSTANCE_ID: FENCED,
    // The topic may be deleted; its offset is useless then.
    UNKNOWN_TOPIC_OR_PARTITION: REFUSE,
    UNKNOWN_TOPIC_ID: REFUSE,
    TOPIC_AUTHORIZATION_FAILED: REFUSE,
    OFFSET_METADATA_TOO_LARGE: REFUSE,
    INVALID_COMMIT_OFFSET_SIZE: REFUSE,
  },
  offsets: {
    ...COMMON,
    UNSTABLE_OFFSET_COMMIT: RETRY,
    STALE_MEMBER_EPOCH: RETRY,
    FENCED_MEMBER_EPOCH: LOSE,
    UNKNOWN_MEMBER_ID: LOSE_ID,
    GROUP_ID_NOT_FOUND: REFUSE,
    UNKNOWN_TOPIC_OR_PARTITION: REFUSE,
    UNKNOWN_TOPIC_ID: REFUSE,
    TOPIC_AUTHORIZATION_FAILED: REFUSE,
  },
  'consumer-join': {
    ...COMMON,
    UNSUPPORTED_VERSION: CONSUMER_PROTOCOL_UNSUPPORTED,
    UNKNOWN_MEMBER_ID: LOSE,
    FENCED_MEMBER_EPOCH: LOSE,
    UNRELEASED_INSTANCE_ID: AWAIT_RELEASE,
    FENCED_INSTANCE_ID: FENCED,
    // The group is a classic one that the brokers cannot or may not convert, or of another type.
    GROUP_ID_NOT_FOUND: CONVERSION_REFUSED,
    INCONSISTENT_GROUP_PROTOCOL: INCONSISTENT_PROTOCOL,
    GROUP_MAX_SIZE_REACHED: GROUP_FULL,
    TOPIC_AUTHORIZATION_FAILED: TOPICS_FORBIDDEN,
    UNSUPPORTED_ASSIGNOR: ASSIGNOR_UNSUPPORTED,
  },
  'consumer-heartbeat': {
    ...COMMON,
    UNKNOWN_MEMBER_ID: LOSE,
    FENCED_MEMBER_EPOCH: LOSE,
    GROUP_ID_NOT_FOUND: LOSE,
    UNRELEASED_INSTANCE_ID: FENCED,
    FENCED_INSTANCE_ID: FENCED,
    TOPIC_AUTHORIZATION_FAILED: TOPICS_FORBIDDEN,
  },
}

/** Returns the reaction of a member to an error code in a step. */
export function groupReactionTo(step: GroupStep, errorCode: number): GroupReaction {
  const name = errorNameOf(errorCode)
  const known = name in BROKER_ERRORS ? GROUP_REACTIONS[step][name as BrokerErrorName] : undefined
  if (known !== undefined) return known
  if (isRetriable(errorCode)) return RETRY
  const detail = `the coordinator of group %g returned ${name} (${step})`
  const code = refusalCodeOf(name)
  return stop(code, detail, code === 'KD_SOURCE_FAILED')
}
