import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'

/** Gives the console's snapshots. */
export interface SnapshotSource {
  /** Returns the snapshot with the detail of a topic as JSON; by default of the first one. */
  snapshotText(topic: string | undefined): string
}

/** Describes what the routes of the console serve. */
interface ConsoleRouteOptions {
  readonly source: SnapshotSource
  /** Returns the page, which holds no data; where there is none, `/` lists the paths of the server. */
  readonly page: () => string | undefined
  /** Admits the requests that may see details of topics. */
  readonly onRequest: onRequestAsyncHookHandler
  readonly clock?: Clock | undefined
}

/** Streams at once; each holds a connection. */
const STREAMS_MAX = 20
const EVERY_MS = 1_000
const RETRY_AFTER_S = 10

type ConsoleRequest = FastifyRequest<{ Querystring: { readonly topic?: string | readonly string[] } }>

/**
 * Adds the routes of the console: its page at `/`, a snapshot at `/console/snapshot?topic=`, and a stream of server-sent events
 * with a snapshot each second at `/console/events?topic=`. The page is open because it holds no data; it sends the token with
 * its requests for the others.
 */
export function addConsoleRoutes(server: FastifyInstance, options: ConsoleRouteOptions): void {
  const { source, onRequest } = options
  const page = options.page() ?? pathsPage()
  const policy = contentPolicyOf(page)
  server.get('/', (_, reply) => {
    protect(reply).header('content-security-policy', policy).type('text/html; charset=utf-8')
    return page
  })
  server.get('/console/snapshot', { onRequest }, (request: ConsoleRequest, reply) => {
    protect(reply).type('application/json; charset=utf-8')
    return source.snapshotText(topicOf(request))
  })
  const streams = new SnapshotStreams(options)
  server.get('/console/events', { onRequest }, (request: ConsoleRequest, reply) => {
    if (!streams.hasRoom) {
      void reply.header('retry-after', RETRY_AFTER_S)
      return reply.code(503).send({ status: 503, error: `expected at most ${STREAMS_MAX} streams` })
    }
    // From here on Fastify leaves the response alone.
    reply.hijack()
    streams.start(reply.raw, topicOf(request))
    return reply
  })
  server.addHook('preClose', (done) => {
    streams.endAll()
    done()
  })
}

function topicOf({ query: { topic } }: ConsoleRequest): string | undefined {
  return typeof topic === 'string' && topic !== '' ? topic : undefined
}

const PROTECTION = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

function protect(reply: FastifyReply): FastifyReply {
  return reply.headers(PROTECTION)
}

/**
 * Returns the Content-Security-Policy of a page: it may run the scripts and use the styles that are written in it, fetch from
 * this server, and nothing else. Attributes with scripts or styles are refused.
 */
export function contentPolicyOf(page: string): string {
  const hashesOf = (tag: string): string => {
    const blocks = [...page.matchAll(new RegExp(`<${tag}(?:\\s[^>]*)?>([\\s\\S]*?)</${tag}>`, 'gi'))]
    const hashes = blocks.map(([, text = '']) => {
      // A parser of HTML replaces other line breaks before it compares.
      return `'sha256-${createHash('sha256').update(text.replace(/\r\n?/g, '\n')).digest('base64')}'`
    })
    return hashes.length === 0 ? "'none'" : hashes.join(' ')
  }
  return [
    "default-src 'none'",
    `script-src ${hashesOf('script')}`,
    `style-src ${hashesOf('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Sends snapshots to those who follow the process, once a second each. */
class SnapshotStreams {
  readonly #source: SnapshotSource
  readonly #clock: Clock
  readonly #open = new Map<ServerResponse, AbortController>()

  constructor({ source, clock = systemClock }: ConsoleRouteOptions) {
    this.#source = source
    this.#clock = clock
  }

  get hasRoom(): boolean {
    return this.#open.size < STREAMS_MAX
  }

  /** Begins a stream. It ends when its reader leaves, or has read nothing for `connectionTimeout` of the server, or that closes. */
  start(response: ServerResponse, topic: string | undefined): void {
    const ending = new AbortController()
    this.#open.set(response, ending)
    response.once('close', () => {
      this.#open.delete(response)
      ending.abort()
    })
    response.writeHead(200, {
      ...PROTECTION,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies that collect responses would deliver the events late.
      'x-accel-buffering': 'no',
    })
    void this.#send(response, topic, ending.signal)
  }

  endAll(): void {
    for (const [response, ending] of this.#open) {
      ending.abort()
      response.end()
    }
  }

  /** Never rejects. */
  async #send(response: ServerResponse, topic: string | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A reader that is slow misses snapshots, so that none are kept for it.
      if (!response.writableNeedDrain) response.write(this.#eventOf(topic))
      await this.#clock.sleep(EVERY_MS, signal).catch(() => undefined)
    }
  }

  /** Returns the next event: a snapshot, or a comment that keeps the connection and says why there is none. */
  #eventOf(topic: string | undefined): string {
    try {
      return `event: snapshot\ndata: ${this.#source.snapshotText(topic)}\n\n`
    } catch (error) {
      return `: no snapshot: ${messageOf(error).replace(/\s+/g, ' ')}\n\n`
    }
  }
}

const PATHS = ['/readyz', '/status', '/metrics', '/config', '/version', '/console/snapshot']

/** Returns a page with the paths of the server, for a service that has no other page. */
function pathsPage(): string {
  const items = PATHS.map((path) => `<li><a href="${path}">${path}</a></li>`).join('')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>kafka-delta</title></head><body><h1>kafka-delta</h1><ul>${items}</ul></body></html>\n`
}
