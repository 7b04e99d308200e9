import type { ApiName, RequestBody, ResponseBody } from './apis.ts'

/** Configures one request. */
export interface RequestOptions {
  /**
   * Maximum time until the response, in milliseconds, in addition to the time that the request itself allows the
   * broker to wait; the limit of the connection by default.
   */
  readonly timeoutMs?: number
  /** Ends the wait when it aborts; the broker may still process the request. */
  readonly signal?: AbortSignal
  /** Newest version of the API to use. */
  readonly versionMax?: number
}

/** Sends requests to one broker over one connection. */
export interface BrokerConnection {
  /** -1 for a bootstrap connection to a broker whose id is unknown. */
  readonly nodeId: number
  /** Address of the broker as `host:port`, for messages. */
  readonly address?: string
  /** False once the connection is closed or broken: every request fails, and the caller must get a new connection. */
  readonly isOpen: boolean
  /** Returns the newest version of an API that client and broker support; `undefined` if there is none. */
  versionOf(api: ApiName): number | undefined
  /**
   * Sends a request in the newest common version, up to `versionMax`, and resolves to its response. Responses arrive
   * in the order of the requests. Respects the broker's throttle time: the next request is sent after it.
   * @throws KD_KAFKA_UNREACHABLE, retryable, if the connection breaks or the broker does not respond in time, which
   * closes the connection; KD_SOURCE_FAILED if there is no common version or the response is malformed
   */
  request<A extends ApiName>(api: A, body: RequestBody<A>, options?: RequestOptions): Promise<ResponseBody<A>>
  /** Closes the connection; pending requests fail. */
  close(): Promise<void>
}
