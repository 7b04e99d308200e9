import { isIP, connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

/** Codes of what a socket learns of its peer, beside those of Node; kafkajs hands the `code` of an error on. */
export const WANTS_TLS = 'ERR_PEER_WANTS_TLS'
export const HANDSHAKE_CUT = 'ERR_TLS_HANDSHAKE_CUT'

const KEEP_ALIVE_MS = 60_000
/** First bytes of a TLS record: alert or handshake, version 3.x. As the length of a Kafka response it would be 352 MB. */
const TLS_ALERT = 0x15
const TLS_HANDSHAKE = 0x16
const TLS_MAJOR = 0x03

/**
 * How connections to brokers are opened: with TLS where `tls` is there, which is asked anew for each connection. A socket
 * tells a peer that speaks the other protocol from one that is gone: its error has the code `WANTS_TLS` or `HANDSHAKE_CUT`.
 */
export function socketFactory(tls: (() => ConnectionOptions) | undefined): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const socket =
      tls === undefined ? plainSocket(host, port, onConnect) : secureSocket(host, port, tls(), onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    return socket
  }
}

function plainSocket(host: string, port: number, onConnect: () => void): Socket {
  const socket = connectPlain({ host, port }, onConnect)
  socket.once('data', (first: Buffer) => {
    if ((first[0] === TLS_ALERT || first[0] === TLS_HANDSHAKE) && first[1] === TLS_MAJOR) {
      socket.destroy(Object.assign(new Error('the peer answers with TLS'), { code: WANTS_TLS }))
    }
  })
  return socket
}

function secureSocket(host: string, port: number, tls: ConnectionOptions, onConnect: () => void): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket = connectSecure({ host, port, ...name, ...tls }, onConnect)
  let isReached = false
  let isSecure = false
  socket.once('connect', () => (isReached = true))
  socket.once('secureConnect', () => (isSecure = true))
  // Heard before kafkajs hears it, which copies nothing but message and code.
  socket.on('error', (error: NodeJS.ErrnoException & { readonly reason?: string }) => {
    if (isReached && !isSecure && error.code === 'ECONNRESET') error.code = HANDSHAKE_CUT
    else if (error.code === 'EPROTO' && error.reason !== undefined)
      error.code = `ERR_SSL_${error.reason.toUpperCase().replaceAll(' ', '_')}`
  })
  return socket
}
