import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream'

/**
 * What becomes of requests: `pass` hands them on; `refuse` takes no connections; `unavailable` answers 503; `slow-down`
 * and `forbidden` answer as S3 does when it throttles (503) and when a permission is missing (403); `slow` hands them on
 * late; `hang` answers nothing; `cut` hangs up before the server sees the request; `ambiguous` hangs up after the server carried it out.
 */
export type Fault =
  'pass' | 'refuse' | 'unavailable' | 'slow-down' | 'forbidden' | 'slow' | 'hang' | 'cut' | 'ambiguous'

/** Status and body by the fault that answers itself. */
const ANSWERS = {
  unavailable: [503, ''],
  'slow-down': [
    503,
    '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
  ],
  forbidden: [403, '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'],
} as const

/** A request as it is chosen by. */
export interface Requested {
  readonly method: string
  /** Path and query. */
  readonly url: string
}

/** A proxy before an HTTP server, whose faults a test switches on and off. */
export interface FaultProxy {
  /** In place of the server's own address; stays the same. */
  readonly endpoint: string
  /** How many requests met with each fault so far; connections refused are not seen. */
  readonly met: Readonly<Record<Exclude<Fault, 'refuse'>, number>>
  /** From now on; connections that are open break off. With `only`, requests of another kind pass. Not for `refuse`. */
  set(fault: Fault, only?: (request: Requested) => boolean): Promise<void>
  /** The fault for so long, then `pass`. */
  during(ms: number, fault: Fault): Promise<void>
  stop(): Promise<void>
}

/** Starts a proxy before the server at `target`, which passes everything on. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const proxy = new HttpFaults(new URL(target))
  await proxy.listen(0)
  return proxy
}

/** How late a slow request is handed on. */
const SLOW_MS = 1_500

class HttpFaults implements FaultProxy {
  readonly #target: URL
  readonly #server = createServer((request, response) => {
    this.#take(request, response)
  })
  readonly #sockets = new Set<Socket>()
  #port = 0
  #fault: Fault = 'pass'
  #only: (request: Requested) => boolean = () => true
  readonly met = {
    pass: 0,
    unavailable: 0,
    'slow-down': 0,
    forbidden: 0,
    slow: 0,
    hang: 0,
    cut: 0,
    ambiguous: 0,
  }

  constructor(target: URL) {
    this.#target = target
    // A connection that is kept for later must not break by itself: that would be a fault that nobody asked for.
    this.#server.keepAliveTimeout = 600_000
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.removeListener('error', reject)
        resolve()
      })
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async set(fault: Fault, only: (request: Requested) => boolean = () => true): Promise<void> {
    this.#fault = fault
    this.#only = only
    if (fault === 'refuse') await this.stop()
    else if (!this.#server.listening) await this.listen(this.#port)
    if (fault !== 'pass') this.#breakOff()
  }

  async during(ms: number, fault: Fault): Promise<void> {
    await this.set(fault)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await this.set('pass')
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
      this.#breakOff()
    })
  }

  #breakOff(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = request
    const fault = this.#fault !== 'refuse' && this.#only({ method, url }) ? this.#fault : 'pass'
    this.met[fault]++
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    if (fault === 'cut') request.socket.destroy()
    else if (fault === 'hang') request.resume()
    else if (fault === 'slow') setTimeout(() => this.#handOn(request, response, 'pass'), SLOW_MS)
    else if (fault === 'unavailable' || fault === 'slow-down' || fault === 'forbidden') {
      const [status, text] = ANSWERS[fault]
      const body = method === 'HEAD' ? '' : text
      request.resume()
      request.once('end', () =>
        response.writeHead(status, { 'content-length': String(body.length) }).end(body),
      )
    } else this.#handOn(request, response, fault)
  }

  #handOn(request: IncomingMessage, response: ServerResponse, fault: 'pass' | 'ambiguous'): void {
    const { method, url, headers } = request
    const { hostname, port } = this.#target
    // The host stays as the client wrote and signed it.
    const onward = ask({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      if (fault === 'ambiguous') {
        answer.resume()
        answer.once('end', () => request.socket.destroy())
        return
      }
      // The server's word is about its connection to us.
      delete answer.headers.connection
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, response, () => undefined)
    })
    onward.on('error', () => request.socket.destroy())
    const gone = (): void => {
      // What was handed on whole is carried out, whoever is gone.
      if (!request.complete) onward.destroy()
    }
    request.socket.once('close', gone)
    onward.once('close', () => request.socket.removeListener('close', gone))
    request.pipe(onward)
  }
}
