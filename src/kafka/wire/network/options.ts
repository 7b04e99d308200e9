import type { OnReadOpts, Socket } from 'node:net'
import type { Clock } from '../../../core/clock.ts'
import type { SaslLogin } from '../sasl/login.ts'
import type { AnswerMonitor } from './answer-monitor.ts'

/**
 * Opens a socket, with or without TLS, and calls `onConnect` when it is connected and secured. Passing `onread` to
 * Node as the option of the same name makes all sockets read into one buffer, which halves the CPU time of receiving.
 */
export type OpenSocket = (target: {
  readonly host: string
  readonly port: number
  readonly onConnect: () => void
  readonly onread: OnReadOpts
}) => Socket

/** Explains a socket error that concerns TLS. */
interface SocketFault {
  readonly problem: string
  readonly remedy: string
  /** True if the error may disappear without a change of configuration. */
  readonly isTransient: boolean
}

/** Describes the address of a broker and the identity that the broker is expected to have. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
  /** Absent for a bootstrap address whose broker id is unknown. */
  readonly nodeId?: number
  /** The cluster that the broker must belong to; absent or null while the cluster id is unknown. */
  readonly clusterId?: string | null
}

/** Configures connections to brokers. */
export interface WireOptions {
  readonly clientId: string
  readonly openSocket: OpenSocket
  readonly login?: SaslLogin
  /** Explains the code of a socket error that concerns TLS; returns `undefined` for other codes. */
  readonly explainFault?: (code: string) => SocketFault | undefined
  /** Maximum time to connect and for each step of the login, in milliseconds; 10,000 by default. */
  readonly connectTimeoutMs?: number
  /** Maximum time until a response, in milliseconds; 30,000 by default. */
  readonly requestTimeoutMs?: number
  /** Maximum size of a response in bytes; 64 MiB by default. A larger response closes the connection. */
  readonly responseBytesMax?: number
  /** Maximum number of requests in flight per connection; 5 by default. Further requests are queued. */
  readonly inFlightMax?: number
  /** Version of this software, sent to brokers in ApiVersions. */
  readonly softwareVersion?: string
  /** Receives the responses of brokers and the failures without one. */
  readonly answers?: Pick<AnswerMonitor, 'answered' | 'unanswered'>
  readonly clock?: Clock
  /** Random number in [0, 1), for jitter. */
  readonly random?: () => number
}

/** Limits the time to connect and for each step of a login by default. */
export const CONNECT_TIMEOUT_MS = 10_000
/** Limits the time until a response by default. */
export const RESPONSE_TIMEOUT_MS = 30_000
/**
 * Time in milliseconds, beyond the wait that a request allows, after which a broker that works has responded. No response
 * from any broker for this time is silence, long before requests time out. Heartbeats and fetches are answered at once.
 */
export const SILENCE_MS = 5_000
/** Limits the size of a response by default. */
export const RESPONSE_BYTES_MAX = 64 * 1024 * 1024
/** Limits the requests in flight per connection by default. */
export const REQUESTS_IN_FLIGHT_MAX = 5
/** Limits the queued requests per connection. */
export const REQUESTS_QUEUED_MAX = 1_000
/** Limits the throttle time of a broker that is respected. */
export const THROTTLE_MS_MAX = 60_000
