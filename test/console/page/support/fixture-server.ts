import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildConsolePage } from '../../../../scripts/console/page.ts'
import type { ConsoleSnapshot } from '../../../../src/console/snapshot.ts'
import { contentPolicyOf } from '../../../../src/service/http/console-routes.ts'

/** Serves the page with snapshots made by hand. */
export interface FixtureServer {
  readonly url: string
  /** Requests for admin verbs, in order: `POST /admin/topics/orders/pause Bearer secret`. */
  readonly verbs: readonly string[]
  /** Sends a snapshot to every page that is open, and to those that open later. */
  push(snapshot: ConsoleSnapshot): void
  /** Asks for this token from now on; `undefined` asks for none. */
  setToken(token: string | undefined): void
  /** Ends every stream, as a service that stops does. */
  endStreams(): void
  close(): Promise<void>
}

/** Starts the server at a free port of the loopback address. */
export async function startFixture(first: ConsoleSnapshot): Promise<FixtureServer> {
  const page = await buildConsolePage()
  const policy = contentPolicyOf(page)
  const streams = new Set<ServerResponse>()
  const verbs: string[] = []
  let snapshot = first
  let token: string | undefined
  const eventOf = (): string => `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path === '/') {
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
        .end(page)
      return
    }
    const { authorization } = request.headers
    if (token !== undefined && authorization !== `Bearer ${token}`) {
      response.writeHead(401).end('{}')
      return
    }
    if (path === '/console/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(eventOf())
      streams.add(response)
      response.once('close', () => streams.delete(response))
    } else if (path.startsWith('/admin/')) {
      verbs.push(`${request.method} ${path} ${authorization}`)
      response.end(JSON.stringify({ done: true }))
    } else if (path === '/config') response.end(JSON.stringify({ kafka: { brokers: ['kafka:9092'] } }))
    else response.writeHead(404).end('{}')
  }
  const server = createServer(serve)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const endStreams = (): void => {
    for (const stream of streams) stream.end()
  }
  return {
    url: `http://127.0.0.1:${port}/`,
    verbs,
    push(next) {
      snapshot = next
      for (const stream of streams) stream.write(eventOf())
    },
    setToken(next) {
      token = next
    },
    endStreams,
    close: async () => {
      endStreams()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
