import type { ConnectionOptions } from 'node:tls'
import { createSocketFactory } from '../../../../src/kafka/client/sockets.ts'
import { tlsFaultOf } from '../../../../src/kafka/client/tls-faults.ts'
import type { OpenSocket, WireOptions } from '../../../../src/kafka/wire/network/options.ts'

/** Sockets and explanations of their faults as in the service. */
export function socketsOfService(tls?: ConnectionOptions): Pick<WireOptions, 'openSocket' | 'explainFault'> {
  const open = createSocketFactory(tls === undefined ? undefined : () => tls)
  const openSocket: OpenSocket = (place) => open({ ...place, ssl: {} })
  return { openSocket, explainFault: tlsFaultOf }
}
