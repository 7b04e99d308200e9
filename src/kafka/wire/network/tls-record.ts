/** Names the error of a plain connection whose peer answers with TLS; kafkajs passes on the `code` of an error. */
export const WANTS_TLS = 'ERR_PEER_WANTS_TLS'

/** First bytes of a TLS record: alert or handshake, version 3.x. As the length of a Kafka response they would mean 352 MB. */
const TLS_ALERT = 0x15
const TLS_HANDSHAKE = 0x16
const TLS_MAJOR = 0x03

/** Returns whether bytes begin like a record of TLS. */
export function isTlsRecord(bytes: Uint8Array): boolean {
  return (bytes[0] === TLS_ALERT || bytes[0] === TLS_HANDSHAKE) && bytes[1] === TLS_MAJOR
}

/** Returns the error of a plain connection whose peer answers with TLS. */
export function wantsTlsError(): Error {
  return Object.assign(new Error('the peer answers with TLS'), { code: WANTS_TLS })
}
