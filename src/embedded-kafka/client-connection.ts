import type { Socket } from 'node:net'
import { APIS, requestHeaderVersion, responseHeaderVersion, type ApiName } from '../kafka/wire/apis.ts'
import { apiCodecOf, type ApiCodec } from '../kafka/wire/codec.ts'
import { BROKER_ERRORS } from '../kafka/wire/error-codes.ts'
import { FrameAssembler } from '../kafka/wire/network/frames.ts'
import { skipTagged } from '../kafka/wire/network/pending-request.ts'
import { WireReader } from '../kafka/wire/wire-reader.ts'
import { WireWriter } from '../kafka/wire/wire-writer.ts'
import type { Fault, FaultPlan } from './faults.ts'
import { HANDLERS, newestVersionOf } from './handlers/handlers.ts'
import type { BrokerState, Handler } from './handlers/handler.ts'

/** Largest request, as in Kafka. */
const REQUEST_BYTES_MAX = 100 * 2 ** 20
/** Requests of one connection that wait for their answers; the socket is not read while there are more. */
const REQUESTS_MAX = 1_000
const API_VERSIONS_KEY = APIS.ApiVersions.key

interface Header {
  readonly api: ApiName
  readonly version: number
  readonly correlationId: number
  readonly clientId: string
}

/** Answers the requests of one client in the order in which they came. */
export class ClientConnection {
  readonly #socket: Socket
  readonly #state: BrokerState
  readonly #number: number
  readonly #faultOf: FaultPlan
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(socket: Socket, state: BrokerState, number: number, faultOf: FaultPlan) {
    this.#socket = socket
    this.#state = state
    this.#number = number
    this.#faultOf = faultOf
    socket.setNoDelay(true)
    // The close that follows ends the connection.
    socket.on('error', () => undefined)
    const frames = new FrameAssembler(REQUEST_BYTES_MAX, (frame) => this.#take(frame))
    socket.on('data', (chunk: Buffer) => {
      try {
        frames.push(chunk)
      } catch (error) {
        // Not a client of Kafka, or one whose bytes are broken: as a broker does, it hangs up.
        state.onError(error)
        this.cut()
      }
    })
  }

  /** Closes the connection at once. */
  cut(): void {
    this.#socket.destroy()
  }

  #take(frame: Buffer): void {
    const reader = new WireReader(frame)
    const key = reader.int16()
    const version = reader.int16()
    const correlationId = reader.int32()
    const api = API_BY_KEY.get(key)
    const [oldest, newest] = api === undefined ? [1, 0] : versionsOf(api)
    if (api === undefined || version < oldest || version > newest) {
      // Clients learn the versions from an answer of version 0 (KIP-511); anything else is a fault of the client.
      if (key === API_VERSIONS_KEY) this.#queue(async () => Promise.resolve(this.#unsupported(correlationId)))
      else this.cut()
      return
    }
    const header = { api, version, correlationId, clientId: clientIdOf(reader, api, version) }
    const codec = apiCodecOf(api, version) as unknown as ApiCodec<'Heartbeat'>
    const body: unknown = codec.readRequest(reader)
    const fault = this.#faultOf({ api, clientId: header.clientId, connection: this.#number })
    this.#queue(() => this.#answer(header, body, fault))
  }

  #queue(answer: () => Promise<Buffer | undefined>): void {
    if (++this.#waiting >= REQUESTS_MAX) this.#socket.pause()
    this.#last = this.#last.then(async () => {
      try {
        const frame = await answer()
        if (frame !== undefined && !this.#socket.destroyed) this.#socket.write(frame)
      } catch (error) {
        // A request that no handler can carry out: the client sees a broker that hung up.
        if (!this.#state.signal.aborted) this.#state.onError(error)
        this.cut()
      }
      if (--this.#waiting < REQUESTS_MAX) this.#socket.resume()
    })
  }

  async #answer(header: Header, body: unknown, fault: Fault | undefined): Promise<Buffer | undefined> {
    if (fault?.kind === 'cut-before') {
      this.cut()
      return undefined
    }
    const { clock, signal } = this.#state
    if (fault?.kind === 'delay') await clock.sleep(fault.delayMs, signal)
    const said = await this.#respond(header, body)
    if (fault?.kind === 'cut-after') this.cut()
    if (fault?.kind === 'drop' || fault?.kind === 'cut-after' || hasNoAnswer(header, body)) return undefined
    return frameOf(header, said)
  }

  #respond({ api, version, clientId }: Header, body: unknown): unknown {
    if (api === 'ApiVersions') return versionsBody(0)
    const handler = (HANDLERS as Readonly<Record<string, Handler<ApiName>>>)[api]
    return handler?.(body as never, this.#state, { version, clientId, connection: this })
  }

  #unsupported(correlationId: number): Buffer {
    const header = { api: 'ApiVersions', version: 0, correlationId, clientId: '' } as const
    return frameOf(header, versionsBody(BROKER_ERRORS.UNSUPPORTED_VERSION.code))
  }
}

const API_BY_KEY: ReadonlyMap<number, ApiName> = new Map(
  (Object.keys(APIS) as ApiName[])
    .filter((api) => api === 'ApiVersions' || api in HANDLERS)
    .map((api) => [APIS[api].key, api]),
)

function versionsOf(api: ApiName): readonly [number, number] {
  const [oldest, newest] = APIS[api].versions
  return [oldest, newestVersionOf(api, newest)]
}

/** Features in which Kafka 4 finds KIP-848 and the transactions of KIP-98. */
const FEATURES = [{ name: 'group.version', minVersion: 0, maxVersion: 1 }]

function versionsBody(errorCode: number): object {
  const apiKeys = [...API_BY_KEY].map(([apiKey, api]) => {
    const [minVersion, maxVersion] = versionsOf(api)
    return { apiKey, minVersion, maxVersion }
  })
  return {
    ...{ errorCode, apiKeys, supportedFeatures: FEATURES, finalizedFeaturesEpoch: 1n },
    finalizedFeatures: FEATURES.map(({ name, maxVersion }) => ({
      ...{ name, maxVersionLevel: maxVersion, minVersionLevel: maxVersion },
    })),
  }
}

function clientIdOf(reader: WireReader, api: ApiName, version: number): string {
  const length = reader.int16()
  const clientId = length < 0 ? '' : reader.text(length)
  if (requestHeaderVersion(APIS[api], version) === 2) skipTagged(reader)
  return clientId
}

/** A producer that wants no acknowledgement gets no answer. */
function hasNoAnswer({ api }: Header, body: unknown): boolean {
  return api === 'Produce' && (body as { readonly acks: number }).acks === 0
}

function frameOf({ api, version, correlationId }: Header, body: unknown): Buffer {
  const codec = apiCodecOf(api, version) as unknown as ApiCodec<'Heartbeat'>
  const writer = new WireWriter()
  writer.int32(0)
  writer.int32(correlationId)
  if (responseHeaderVersion(APIS[api], version) === 1) writer.uvarint(0)
  codec.writeResponse(writer, { throttleTimeMs: 0, ...(body as object) } as never)
  writer.setInt32(0, writer.length - 4)
  return Buffer.from(writer.toBuffer())
}
