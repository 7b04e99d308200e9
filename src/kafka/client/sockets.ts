import { isIP, connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'
import { isTlsRecord, wantsTlsError } from '../wire/network/tls-record.ts'

/** Names the error of a socket whose peer closed the connection during the TLS handshake. */
export const HANDSHAKE_CUT = 'ERR_TLS_HANDSHAKE_CUT'

const KEEP_ALIVE_MS = 60_000

/**
 * Creates the factory of sockets to brokers, with TLS if `tls` is given; it is called for each connection. The error of a
 * socket whose peer uses the other protocol has the code `WANTS_TLS` or `HANDSHAKE_CUT`.
 */
export function createSocketFactory(tls: (() => ConnectionOptions) | undefined): ISocketFactory {
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
    if (isTlsRecord(first)) socket.destroy(wantsTlsError())
  })
  return socket
}

function secureSocket(host: string, port: number, tls: ConnectionOptions, onConnect: () => void): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket = connectSecure({ host, port, ...name, ...tls }, onConnect)
  describeSocketFaults(socket)
  return socket
}

/** Gives the errors of a secure socket codes that name the fault; to be called before other listeners are added. */
export function describeSocketFaults(socket: Socket): void {
  let isReached = false
  let isSecure = false
  socket.once('connect', () => (isReached = true))
  socket.once('secureConnect', () => (isSecure = true))
  // This listener runs before that of kafkajs, which copies only message and code.
  socket.on('error', (error: NodeJS.ErrnoException & { readonly reason?: string }) => {
    if (isReached && !isSecure && error.code === 'ECONNRESET') error.code = HANDSHAKE_CUT
    else if (error.code === 'EPROTO' && error.reason !== undefined)
      error.code = `ERR_SSL_${error.reason.toUpperCase().replaceAll(' ', '_')}`
  })
}
