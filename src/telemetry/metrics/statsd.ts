import { createSocket, type Socket } from 'node:dgram'

/** The types of statsd: a sum, the latest value, a duration in milliseconds. */
export type StatsdType = 'c' | 'g' | 'ms'

/** Metrics by UDP: sending never waits and never fails. */
export interface Statsd {
  /** Queues one value; dropped where the queue is full. Values become whole numbers. */
  send(name: string, type: StatsdType, value: number): void
  /** Sends what is queued, as far as the network takes it. */
  close(): Promise<void>
}

/** Where metrics go. */
export interface StatsdOptions {
  readonly host: string
  readonly port: number
  /** In front of every name, with a dot between; may be empty. */
  readonly prefix: string
  /** Values that may wait. */
  readonly queueMax: number
  /** Told once, of the first value that could not be sent. */
  readonly onFailure: (error: unknown) => void
}

/** Small enough for every network to carry a datagram in one piece. */
const DATAGRAM_BYTES_MAX = 576

/** Sends metrics to a statsd server, several in one datagram, one a line. */
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
    // What is sent in the same turn shares datagrams.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      let datagram = ''
      let taken = 0
      for (const line of this.#queue) {
        if (taken > 0 && datagram.length + line.length > DATAGRAM_BYTES_MAX) break
        datagram += line
        taken++
      }
      // Still in the queue while it is sent: the bound counts it.
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
    // An address of IPv6 wants a socket of its own kind; a name is looked up for IPv4, as statsd servers listen.
    const socket = createSocket(this.#options.host.includes(':') ? 'udp6' : 'udp4')
    socket.on('error', (error) => this.#note(error))
    // Metrics keep no process alive.
    return socket.unref()
  }

  #note(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#options.onFailure(error)
  }
}
