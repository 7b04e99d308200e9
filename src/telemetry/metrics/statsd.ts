import { createSocket, type Socket } from 'node:dgram'

/** Names the statsd types: counter, gauge, and duration in milliseconds. */
export type StatsdType = 'c' | 'g' | 'ms'

/** Sends metrics by UDP without waiting; failures do not reach the caller. */
export interface Statsd {
  /** Queues one value, rounded to an integer; drops it if the queue is full. */
  send(name: string, type: StatsdType, value: number): void
  /** Sends the queued values and closes the socket. */
  close(): Promise<void>
}

/** Configures the statsd client. */
export interface StatsdOptions {
  readonly host: string
  readonly port: number
  /** Prefix of every name, joined with a dot; may be empty. */
  readonly prefix: string
  /** Maximum queued values. */
  readonly queueMax: number
  /** Called once, for the first value that could not be sent. */
  readonly onFailure: (error: unknown) => void
}

/** Maximum size of a datagram that every network carries without fragmentation. */
const DATAGRAM_BYTES_MAX = 576

/** Creates a client that sends metrics to a statsd server, several lines per datagram. */
export function createStatsd(options: StatsdOptions): Statsd {
  return new UdpStatsd(options)
}

class UdpStatsd implements Statsd {
  readonly #options: StatsdOptions
  #socket: Socket | undefined
  #queue: string[] = []
  #sending: Promise<void> | undefined
  #failed = false

  constructor(options: StatsdOptions) {
    this.#options = options
  }

  send(name: string, type: StatsdType, value: number): void {
    const { prefix, queueMax } = this.#options
    if (this.#queue.length >= queueMax || !Number.isFinite(value)) return
    this.#queue.push(`${prefix === '' ? '' : `${prefix}.`}${name}:${Math.round(value)}|${type}\n`)
    this.#sending ??= this.#drain()
  }

  async close(): Promise<void> {
    await this.#sending
    this.#socket?.close()
    this.#socket = undefined
  }

  async #drain(): Promise<void> {
    // Values sent in the same turn of the event loop share datagrams.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      let datagram = ''
      let taken = 0
      for (const line of this.#queue) {
        if (taken > 0 && datagram.length + line.length > DATAGRAM_BYTES_MAX) break
        datagram += line
        taken++
      }
      // Values stay in the queue while they are sent, so that the bound includes them.
      await this.#put(datagram)
      this.#queue = this.#queue.slice(taken)
    }
    this.#sending = undefined
  }

  async #put(datagram: string): Promise<void> {
    const { host, port } = this.#options
    try {
      const socket = (this.#socket ??= this.#open())
      await new Promise<void>((done, fail) =>
        socket.send(datagram, port, host, (error) => (error === null ? done() : fail(error))),
      )
    } catch (error) {
      this.#note(error)
    }
  }

  #open(): Socket {
    // IPv6 addresses need a udp6 socket; names are resolved to IPv4, on which statsd servers listen.
    const socket = createSocket(this.#options.host.includes(':') ? 'udp6' : 'udp4')
    socket.on('error', (error) => this.#note(error))
    // The socket must not keep the process alive.
    return socket.unref()
  }

  #note(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#options.onFailure(error)
  }
}
