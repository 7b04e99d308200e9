import { isIP, connect as connectPlain } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import type { SASLOptions } from 'kafkajs'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { OpenSocket } from '../wire/network/options.ts'
import type { ClusterOptions } from '../wire/open-cluster.ts'
import type { SaslLogin } from '../wire/sasl/login.ts'
import type { KafkaOptions } from './client.ts'
import { describeSocketFaults } from './sockets.ts'
import { tlsFaultOf } from './tls-faults.ts'
import type { TokenLogin } from './token-login.ts'

const KEEP_ALIVE_MS = 60_000

/**
 * Converts the options of a Kafka client to those of a cluster.
 * @throws KD_CONFIG_INVALID for a SASL mechanism that a cluster does not support
 */
export function clusterOptionsOf(options: KafkaOptions, clock?: Clock): ClusterOptions {
  const { ssl, sasl, reachTimeoutMs } = options
  const tls =
    ssl === undefined || ssl === false
      ? undefined
      : typeof ssl === 'function'
        ? ssl
        : () => (ssl === true ? {} : ssl)
  return {
    brokers: options.brokers,
    clientId: options.clientId,
    openSocket: tls === undefined ? openPlainSocket : (place) => openSecureSocket(place, tls()),
    explainFault: tlsFaultOf,
    ...(sasl === undefined ? {} : { login: loginOf(sasl) }),
    ...(reachTimeoutMs === undefined ? {} : { reachTimeoutMs }),
    ...(clock === undefined ? {} : { clock }),
  }
}

const openPlainSocket: OpenSocket = ({ host, port, onConnect, onread }) =>
  connectPlain({ host, port, onread }, onConnect).setKeepAlive(true, KEEP_ALIVE_MS)

function openSecureSocket(place: Parameters<OpenSocket>[0], tls: ConnectionOptions): ReturnType<OpenSocket> {
  const { host, port, onConnect, onread } = place
  const name = isIP(host) === 0 ? { servername: host } : {}
  // Node's types do not list `onread`, which its TLS sockets take from those of plain ones.
  const receive: object = { onread }
  const socket = connectSecure({ host, port, ...name, ...tls, ...receive }, onConnect)
  describeSocketFaults(socket)
  return socket.setKeepAlive(true, KEEP_ALIVE_MS)
}

function loginOf(sasl: SASLOptions | TokenLogin): SaslLogin {
  if ('token' in sasl) return sasl
  switch (sasl.mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return sasl
    case 'oauthbearer':
      return { token: () => sasl.oauthBearerProvider() }
    case 'aws':
      throw new PipelineError(
        'KD_CONFIG_INVALID',
        'the mechanism "aws" is not supported; sign in to Amazon MSK with a token',
      )
  }
}
