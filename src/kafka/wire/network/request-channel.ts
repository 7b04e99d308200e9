import type { Socket } from 'node:net'
import type { Clock } from '../../../core/clock.ts'
import { PipelineError } from '../../../core/errors.ts'
import type { ApiName, RequestBody, ResponseBody } from '../apis.ts'
import { malformedMessageError } from '../wire-reader.ts'
import { decodeResponse, encodeRequest, type PendingRequest, type SendOptions } from './pending-request.ts'
import { FrameAssembler } from './frames.ts'
import { REQUESTS_QUEUED_MAX, THROTTLE_MS_MAX } from './options.ts'

/** Configures a request channel. */
export interface RequestChannelOptions {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly responseBytesMax: number
  readonly inFlightMax: number
  readonly clock: Clock
  /** Called for each response. */
  readonly onResponse?: () => void
  /**
   * Called each time that the oldest request in flight has had no response for its `silenceMs`, which began at `sinceMs`.
   * The request still waits for its timeout.
   */
  readonly onSilence?: (sinceMs: number, error: PipelineError) => void
  /** Explains an error that received bytes caused. */
  readonly explain: (error: Error) => Error
}

const CORRELATION_IDS = 2 ** 31

/**
 * Sends requests over one socket and matches the responses. Requests are pipelined up to `inFlightMax`; a broker
 * responds in their order. The timeout of a request starts when all requests before it have their responses. A
 * response that violates the order or the protocol, or that is late, closes the socket and fails all pending requests.
 */
export class RequestChannel {
  readonly #socket: Socket
  readonly #limits: RequestChannelOptions
  /** Address of the broker as `host:port`, for error messages. */
  readonly #address: string
  readonly #frames: FrameAssembler
  #queue: PendingRequest[] = []
  readonly #inFlight: PendingRequest[] = []
  #fault: Error | undefined
  #nextId = 0
  #isHeld = false
  #drained: (() => void) | undefined
  #throttledUntilMs = 0
  #headSinceMs = 0
  /** Time from `headSinceMs` to the last report of silence, in milliseconds. */
  #reportedAfterMs = 0
  #watchUntilMs = Infinity
  #watch = new AbortController()
  #pause: AbortController | undefined
  #lastUsedMs: number
  #responseCount = 0

  /** Takes over a connected socket; the caller passes received bytes to `receive`. */
  constructor(socket: Socket, address: string, limits: RequestChannelOptions) {
    this.#socket = socket
    this.#limits = limits
    this.#address = address
    this.#lastUsedMs = limits.clock.now()
    this.#frames = new FrameAssembler(limits.responseBytesMax, (frame) => {
      this.#onResponse(frame)
    })
  }

  /** The rest of an incomplete response, which the socket may read into; see `receiveUnfilled`. */
  get unfilled(): Buffer | undefined {
    return this.#frames.unfilled
  }

  /** Processes received bytes. Lent bytes are copied, because the socket reuses their buffer. */
  receive(chunk: Buffer, isLent: boolean): void {
    this.#process(() => this.#frames.push(chunk, isLent))
  }

  /** Processes bytes that the socket read into the start of `unfilled`. */
  receiveUnfilled(bytes: number): void {
    this.#process(() => this.#frames.advance(bytes))
  }

  #process(assemble: () => void): void {
    // A destroyed socket reports its own error.
    if (this.#fault !== undefined || this.#socket.destroyed) return
    try {
      assemble()
    } catch (error) {
      this.close(this.#limits.explain(error as Error))
    }
  }

  get isOpen(): boolean {
    return this.#fault === undefined
  }

  /** True while no request is queued or in flight. */
  get isIdle(): boolean {
    return this.#inFlight.length === 0 && this.#queue.length === 0
  }

  /** Time of the last request or response, in milliseconds of the clock. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  /** Number of responses received so far. */
  get responseCount(): number {
    return this.#responseCount
  }

  /**
   * Sends a request and resolves to its response. If `signal` aborts, the wait ends, but the broker may still process
   * the request.
   */
  request<A extends ApiName>(
    api: A,
    version: number,
    body: RequestBody<A>,
    options: SendOptions<A> = {},
  ): Promise<ResponseBody<A>> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      if (this.#fault !== undefined) throw this.#fault
      signal?.throwIfAborted()
      if (this.#queue.length >= REQUESTS_QUEUED_MAX)
        throw this.#unreachable(`the queue has the maximum of ${REQUESTS_QUEUED_MAX} requests`)
      const timeoutMs = options.timeoutMs ?? this.#limits.requestTimeoutMs
      const request = encodeRequest(api, version, body, {
        ...{ clientId: this.#limits.clientId, correlationId: this.#nextId, timeoutMs },
        silenceMs: options.silenceMs ?? Infinity,
        ...{ read: options.read, resolve: resolve as (response: unknown) => void, reject },
      })
      this.#nextId = (this.#nextId + 1) % CORRELATION_IDS
      if (signal !== undefined) this.#rejectOnAbort(request, signal)
      if (options.isUrgent === true) this.#send(request)
      else {
        this.#queue.push(request)
        this.#sendQueued()
      }
    })
  }

  /** Holds back all requests except urgent ones; resolves when no request is in flight. */
  async hold(): Promise<void> {
    this.#isHeld = true
    if (this.#inFlight.length === 0 || this.#fault !== undefined) return
    await new Promise<void>((resolve) => (this.#drained = resolve))
  }

  /** Sends the requests that `hold` held back. */
  release(): void {
    this.#isHeld = false
    this.#sendQueued()
  }

  /** Closes the socket; all pending requests fail with `error`. */
  close(error: Error = this.#unreachable('this client closed the connection')): void {
    if (this.#fault !== undefined) return
    this.#fault = error
    this.#watch.abort()
    this.#pause?.abort()
    this.#socket.destroy()
    const requests = [...this.#inFlight.splice(0), ...this.#queue]
    this.#queue = []
    for (const request of requests) {
      request.reject(error)
      request.onSettled?.()
    }
    this.#drained?.()
  }

  #rejectOnAbort(request: PendingRequest, signal: AbortSignal): void {
    const abort = (): void => {
      // A request that was sent stays in flight: its response still arrives and is discarded.
      this.#queue = this.#queue.filter((one) => one !== request)
      request.reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    request.onSettled = () => {
      signal.removeEventListener('abort', abort)
    }
  }

  #sendQueued(): void {
    if (this.#isHeld || this.#fault !== undefined || this.#isThrottled()) return
    while (this.#queue.length > 0 && this.#inFlight.length < this.#limits.inFlightMax) {
      this.#send(this.#queue.shift() as PendingRequest)
    }
  }

  #send(request: PendingRequest): void {
    this.#lastUsedMs = this.#limits.clock.now()
    if (this.#inFlight.length === 0) this.#startHead()
    this.#inFlight.push(request)
    // Several parts leave in one call.
    this.#socket.cork()
    for (const part of request.frame) this.#socket.write(part)
    this.#socket.uncork()
    this.#watchHead()
  }

  #onResponse(frame: Buffer): void {
    const request = this.#inFlight.shift()
    if (request === undefined)
      throw malformedMessageError('expected no response without a request in flight, got one')
    let throttleMs: number
    try {
      const { response, throttleTimeMs } = decodeResponse(request, frame)
      throttleMs = throttleTimeMs
      request.resolve(response)
    } catch (error) {
      request.reject(error)
      throw error
    } finally {
      request.onSettled?.()
    }
    this.#responseCount++
    this.#limits.onResponse?.()
    this.#lastUsedMs = this.#limits.clock.now()
    this.#startHead()
    if (throttleMs > 0) this.#throttledUntilMs = this.#lastUsedMs + Math.min(throttleMs, THROTTLE_MS_MAX)
    if (this.#inFlight.length === 0) this.#drained?.()
    this.#watchHead()
    this.#sendQueued()
  }

  /** Returns whether the broker's throttle time is not over; schedules sending for its end. */
  #isThrottled(): boolean {
    const restMs = this.#throttledUntilMs - this.#limits.clock.now()
    if (restMs <= 0) return false
    if (this.#pause !== undefined) return true
    const pause = new AbortController()
    this.#pause = pause
    this.#limits.clock.sleep(restMs, pause.signal).then(
      () => {
        this.#pause = undefined
        this.#sendQueued()
      },
      () => undefined,
    )
    return true
  }

  /**
   * Watches the first request in flight, for its silence and its deadline. One timer serves all requests; it is reset only
   * to an earlier time.
   */
  #watchHead(): void {
    const head = this.#inFlight[0]
    if (head === undefined || this.#fault !== undefined) return
    const dueMs = this.#headSinceMs + this.#nextCheckMs(head)
    if (this.#watchUntilMs <= dueMs) return
    this.#watch.abort()
    const watch = new AbortController()
    this.#watch = watch
    this.#watchUntilMs = dueMs
    this.#limits.clock.sleep(Math.max(0, dueMs - this.#limits.clock.now()), watch.signal).then(
      () => {
        this.#watchUntilMs = Infinity
        this.#checkHead()
      },
      () => undefined,
    )
  }

  #checkHead(): void {
    const head = this.#inFlight[0]
    if (head === undefined) return
    const waitedMs = this.#limits.clock.now() - this.#headSinceMs
    if (waitedMs >= head.timeoutMs) {
      this.close(this.#unreachable(`no response to ${head.api} within ${head.timeoutMs} ms`))
      return
    }
    if (waitedMs >= this.#reportedAfterMs + head.silenceMs) {
      this.#reportedAfterMs = waitedMs
      const error = this.#unreachable(`no response to ${head.api} within ${waitedMs} ms`)
      this.#limits.onSilence?.(this.#limits.clock.now() - head.silenceMs, error)
    }
    this.#watchHead()
  }

  /** Starts the time of the first request in flight. */
  #startHead(): void {
    this.#headSinceMs = this.#lastUsedMs
    this.#reportedAfterMs = 0
  }

  /** Returns the time from the start of the first request to its next check, in milliseconds. */
  #nextCheckMs(head: PendingRequest): number {
    return Math.min(this.#reportedAfterMs + head.silenceMs, head.timeoutMs)
  }

  #unreachable(what: string): PipelineError {
    return new PipelineError('KD_KAFKA_UNREACHABLE', `expected a response, got: ${what}`, {
      broker: this.#address,
    })
  }
}
