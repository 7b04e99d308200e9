import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { APIS, type ApiName, responseHeaderVersion } from '../../../../src/kafka/wire/apis.ts'
import { type ApiCodec, apiCodecOf } from '../../../../src/kafka/wire/codec.ts'
import { readRequestHeader, type RequestHeader } from '../../../../src/kafka/wire/network/pending-request.ts'
import { FrameAssembler } from '../../../../src/kafka/wire/network/frames.ts'
import type { OpenSocket } from '../../../../src/kafka/wire/network/options.ts'
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../src/kafka/wire/wire-writer.ts'

/** A request as a fake broker receives it. */
export interface HeardRequest extends RequestHeader {
  readonly body: Readonly<Record<string, unknown>>
  /** The number of the connection, from 0. */
  readonly connection: number
  readonly socket: Socket
}

/** The reaction of a fake broker: a response, one in another version, none, or raw bytes. */
export type FakeAnswer = Readonly<Record<string, unknown>> | undefined | Uint8Array

/** A broker with scripted responses. */
export interface FakeBroker {
  readonly host: string
  readonly port: number
  /** All requests so far but ApiVersions. */
  readonly heard: readonly HeardRequest[]
  /** Number of connections opened so far. */
  readonly connections: number
  /** Closes all connections. */
  cut(): void
  stop(): Promise<void>
}

/** Responds to a request; a pending promise delays all later responses, as at real brokers. */
export type AnswerRequest = (request: HeardRequest) => FakeAnswer | Promise<FakeAnswer>

/** Sockets without TLS. */
export const openPlain: OpenSocket = ({ host, port, onConnect, onread }) =>
  connect({ host, port, onread }, onConnect)

/** Configures a fake broker. */
export interface FakeBrokerOptions {
  readonly port?: number
  /** Responds to ApiVersions; by default with all APIs in all versions. */
  readonly answerVersions?: AnswerRequest
}

/** Starts a broker with all APIs in all versions; `answer` handles all requests but ApiVersions. */
export async function fakeBroker(
  answer: AnswerRequest,
  options: FakeBrokerOptions = {},
): Promise<FakeBroker> {
  const { port = 0, answerVersions = () => versionsBody() } = options
  const heard: HeardRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let last: Promise<void> = Promise.resolve()
    const frames = new FrameAssembler(1e8, (frame) => {
      const request = heardOf(frame, connection, socket)
      if (request.api !== 'ApiVersions') heard.push(request)
      last = last.then(async () => {
        const said = await (request.api === 'ApiVersions' ? answerVersions(request) : answer(request))
        if (said !== undefined) socket.write(said instanceof Uint8Array ? said : responseFrame(request, said))
      })
    })
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    heard,
    get connections() {
      return connections
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** All APIs in all versions by default. */
export function versionsBody(
  over: Readonly<Partial<Record<ApiName, readonly [number, number]>>> = {},
): Readonly<Record<string, unknown>> {
  const apiKeys = (Object.keys(APIS) as ApiName[]).map((api) => {
    const [minVersion, maxVersion] = over[api] ?? APIS[api].versions
    return { apiKey: APIS[api].key, minVersion, maxVersion }
  })
  return { errorCode: 0, apiKeys }
}

/** A response with its length and header, as a broker writes it; optionally in another version. */
export function responseFrame(request: RequestHeader, body: object, version = request.version): Buffer {
  const codec = apiCodecOf(request.api, version) as unknown as ApiCodec<'Heartbeat'>
  const writer = new WireWriter()
  writer.int32(0)
  writer.int32(request.correlationId)
  if (responseHeaderVersion(APIS[request.api], version) === 1) writer.uvarint(0)
  codec.writeResponse(writer, body as never)
  writer.setInt32(0, writer.length - 4)
  return Buffer.from(writer.toBuffer())
}

function heardOf(frame: Buffer, connection: number, socket: Socket): HeardRequest {
  const reader = new WireReader(frame)
  const header = readRequestHeader(reader)
  const codec = apiCodecOf(header.api, header.version) as unknown as ApiCodec<'Heartbeat'>
  return { ...header, body: codec.readRequest(reader), connection, socket }
}
