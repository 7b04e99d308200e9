import type { ConsoleSnapshot } from '../snapshot.ts'

/** Receives what a stream brings. */
export interface StreamHandler {
  readonly onSnapshot: (snapshot: ConsoleSnapshot) => void
  /** Called when the stream ends or cannot be opened; it is opened again by itself. */
  readonly onDown: (reason: string) => void
  /** Called when the service asks for the admin token, or for another one. */
  readonly onTokenWanted: () => void
}

const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 8_000
/** A service that says nothing for so long is not connected. */
const SILENT_MS_MAX = 15_000

/**
 * Keeps a stream of snapshots of one topic open; it is read with `fetch`, since an `EventSource` can send no token. Returns the
 * function that closes it.
 */
export function openStream(
  topic: string | undefined,
  token: string | undefined,
  handler: StreamHandler,
): () => void {
  const closing = new AbortController()
  void keepOpen(topic, token, handler, closing.signal)
  return () => {
    closing.abort()
  }
}

async function keepOpen(
  topic: string | undefined,
  token: string | undefined,
  handler: StreamHandler,
  signal: AbortSignal,
): Promise<void> {
  const isClosed = (): boolean => signal.aborted
  for (let backoffMs = BACKOFF_MS_MIN; !isClosed();) {
    let reason = 'the service closed the connection'
    try {
      const response = await fetch(urlOf(topic), { headers: headersOf(token), signal, cache: 'no-store' })
      if (response.status === 401) {
        handler.onTokenWanted()
        return
      }
      if (!response.ok || response.body === null) reason = `the service answered ${response.status}`
      else
        await readEvents(response.body, signal, (snapshot) => {
          backoffMs = BACKOFF_MS_MIN
          if (!isClosed()) handler.onSnapshot(snapshot)
        })
    } catch {
      reason = 'the service does not answer'
    }
    if (isClosed()) return
    handler.onDown(reason)
    await new Promise((resolve) => setTimeout(resolve, backoffMs))
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX)
  }
}

function urlOf(topic: string | undefined): string {
  return topic === undefined ? 'console/events' : `console/events?topic=${encodeURIComponent(topic)}`
}

/** Returns the headers that carry the admin token, if there is one. */
export function headersOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  take: (snapshot: ConsoleSnapshot) => void,
): Promise<void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader()
  const buffer = new EventBuffer()
  try {
    while (!signal.aborted) {
      const part = await withinMs(reader.read(), SILENT_MS_MAX)
      if (part.done) return
      for (const data of buffer.add(part.value)) take(JSON.parse(data) as ConsoleSnapshot)
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** Cuts a stream of server-sent events into the data of each event. */
export class EventBuffer {
  #text = ''

  /** Adds a piece of the stream and returns the data of the events that it completes. */
  add(piece: string): readonly string[] {
    this.#text += piece
    const events = this.#text.split('\n\n')
    this.#text = events.pop() ?? ''
    return events.flatMap((event) => {
      const lines = event.split('\n').filter((line) => line.startsWith('data:'))
      return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')]
    })
  }
}

async function withinMs<T>(work: Promise<T>, msMax: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came')), msMax)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
