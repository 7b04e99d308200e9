import type { ErrorCode } from '../../../core/errors.ts'
import {
  BROKER_ERRORS,
  errorNameOf,
  isMetadataStale,
  isRetriable,
  refusalCodeOf,
  type BrokerErrorName,
} from '../../wire/error-codes.ts'

/**
 * Describes the reaction to an error code of one partition:
 * - `retry`: fetches again with backoff;
 * - `look-up`: looks up the leader and fetches again with backoff;
 * - `check-range`: lists the start and end of the log; fails if the position is outside, otherwise fetches again;
 * - `fail`: stops reading the partition with the error `code`.
 */
type FetchReaction =
  { readonly kind: 'retry' | 'look-up' | 'check-range' } | { readonly kind: 'fail'; readonly code: ErrorCode }

const RETRY: FetchReaction = { kind: 'retry' }
const LOOK_UP: FetchReaction = { kind: 'look-up' }
const fail = (code: ErrorCode): FetchReaction => ({ kind: 'fail', code })

/** Maps each error code that a partition of a fetch response can have to the reaction. */
export const FETCH_REACTIONS: Readonly<Partial<Record<BrokerErrorName, FetchReaction>>> = {
  OFFSET_OUT_OF_RANGE: { kind: 'check-range' },
  // The broker cannot read its own log.
  CORRUPT_MESSAGE: fail('KD_RECORDS_CORRUPT'),
  // Also returned while a new topic propagates; the lookup fails a topic that stays missing.
  UNKNOWN_TOPIC_OR_PARTITION: LOOK_UP,
  UNKNOWN_TOPIC_ID: LOOK_UP,
  INCONSISTENT_TOPIC_ID: LOOK_UP,
  LEADER_NOT_AVAILABLE: LOOK_UP,
  NOT_LEADER_OR_FOLLOWER: LOOK_UP,
  REPLICA_NOT_AVAILABLE: LOOK_UP,
  KAFKA_STORAGE_ERROR: LOOK_UP,
  // Our leader epoch is older than the broker's.
  FENCED_LEADER_EPOCH: LOOK_UP,
  // The broker's leader epoch is older than ours.
  UNKNOWN_LEADER_EPOCH: RETRY,
  // A new leader does not know its high watermark yet.
  OFFSET_NOT_AVAILABLE: LOOK_UP,
  REQUEST_TIMED_OUT: RETRY,
  UNKNOWN_SERVER_ERROR: RETRY,
  TOPIC_AUTHORIZATION_FAILED: fail('KD_KAFKA_FORBIDDEN'),
  UNSUPPORTED_COMPRESSION_TYPE: fail('KD_KAFKA_REFUSED'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: fail('KD_KAFKA_REFUSED'),
  OFFSET_MOVED_TO_TIERED_STORAGE: fail('KD_KAFKA_REFUSED'),
}

/** Returns the reaction to an error code of a partition; codes missing in the table are treated by their flags. */
export function fetchReactionTo(errorCode: number): FetchReaction {
  const listed = (FETCH_REACTIONS as Partial<Record<string, FetchReaction>>)[errorNameOf(errorCode)]
  if (listed !== undefined) return listed
  if (isMetadataStale(errorCode)) return LOOK_UP
  if (isRetriable(errorCode)) return RETRY
  return fail(refusalCodeOf(errorNameOf(errorCode)))
}

/** Describes the reaction to an error code of a whole fetch response. */
interface SessionReaction {
  /** `new` if the broker has no session of ours; `replace` if the next request must end a session that it may have. */
  readonly session: 'new' | 'replace'
  /** True if the leaders must be looked up. */
  readonly isLookupNeeded: boolean
  /** True if the next request must wait for the backoff. */
  readonly isBackoffNeeded: boolean
  /** True if the same requests will be refused again, so that the partitions fail. */
  readonly isFailure?: boolean
}

const SESSION_REACTIONS: ReadonlyMap<number, SessionReaction> = new Map([
  // Brokers evict sessions when they have too many.
  [
    BROKER_ERRORS.FETCH_SESSION_ID_NOT_FOUND.code,
    { session: 'new', isLookupNeeded: false, isBackoffNeeded: false },
  ],
  [
    BROKER_ERRORS.INVALID_FETCH_SESSION_EPOCH.code,
    { session: 'replace', isLookupNeeded: false, isBackoffNeeded: false },
  ],
  [
    BROKER_ERRORS.FETCH_SESSION_TOPIC_ID_ERROR.code,
    { session: 'replace', isLookupNeeded: true, isBackoffNeeded: true },
  ],
])

/**
 * Returns the reaction to an error code of a whole response. Codes that do not concern the session are repeated with backoff
 * if they may pass.
 */
export function sessionReactionTo(errorCode: number): SessionReaction {
  return (
    SESSION_REACTIONS.get(errorCode) ?? {
      session: 'replace',
      isLookupNeeded: true,
      isBackoffNeeded: true,
      isFailure: !isRetriable(errorCode) && errorCode !== BROKER_ERRORS.UNKNOWN_SERVER_ERROR.code,
    }
  )
}
