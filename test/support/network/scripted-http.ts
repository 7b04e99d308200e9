import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that arrived, as a script sees it. */
export interface ScriptedRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** What becomes of a request: an answer, a connection cut before or amid it, or silence. */
export type ScriptedAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly cutAfter: string; readonly headers: Readonly<Record<string, string>> }
  | 'cut'
  | 'silence'

/** An HTTP server that does what a script says. */
export interface ScriptedServer {
  readonly endpoint: string
  /** Everything that arrived so far. */
  readonly requests: readonly ScriptedRequest[]
  stop(): Promise<void>
}

/** Starts a server that answers request number `index` (from 0) with what `script` returns. */
export async function scriptedServer(
  script: (request: ScriptedRequest, index: number) => ScriptedAnswer,
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body: Buffer.concat(chunks) }
      const answer = script(request, requests.push(request) - 1)
      if (answer === 'silence') return
      if (answer === 'cut') {
        incoming.socket.destroy()
      } else if ('cutAfter' in answer) {
        response.writeHead(200, answer.headers)
        response.write(answer.cutAfter, () => incoming.socket.destroy())
      } else {
        response.writeHead(answer.status, answer.headers)
        response.end(answer.body)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
