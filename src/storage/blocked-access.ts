import type { Access } from '../resilience/access-circuit.ts'

/** Describes an answer by which a store takes no requests until something outside changes. */
export interface BlockedAccess {
  /**
   * Requests that must have succeeded in this process, so that the answer is an outage and not a fault of the
   * configuration: none, any request for the table, or one with the same access.
   */
  readonly after: 'none' | 'any' | 'same'
  /** States what the reader can do, as the end of a sentence. */
  readonly remedy: string
}

/** Lists the causes of blocked access that object stores report. */
export const BLOCKED_ACCESSES = {
  credentials: { after: 'any', remedy: 'check or renew the credentials of the store' },
  permission: {
    after: 'same',
    remedy: 'check the permissions of the credentials and the policy of the bucket',
  },
  bucket: { after: 'any', remedy: 'check the name of the bucket, or create it again' },
  clock: {
    after: 'none',
    remedy: 'correct the clock of this machine: it differs too much from that of the store',
  },
  certificate: { after: 'any', remedy: 'check the certificate of the store' },
} as const satisfies Readonly<Record<string, BlockedAccess>>

/** Operations that change nothing; the others write, unless they delete. */
const READS = new Set([
  'GetObject',
  'HeadObject',
  'ListObjectsV2',
  'GetBlob',
  'GetBlobProperties',
  'ListBlobs',
  'objects.get',
  'objects.list',
  'GetItem',
  'Query',
])
const DELETES = new Set(['DeleteObject', 'AbortMultipartUpload', 'DeleteBlob', 'objects.delete'])

/** Returns what an operation of a store's API does. */
export function accessOf(operation: string): Access {
  if (READS.has(operation)) return 'read'
  return DELETES.has(operation) ? 'delete' : 'write'
}

/** Error codes of connections whose certificate is not accepted. */
const CERTIFICATE_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** Returns the blocked access for the error code of a connection that could not be secured. */
export function certificateBlockOf(code: string | undefined): BlockedAccess | undefined {
  return code !== undefined && CERTIFICATE_CODES.has(code) ? BLOCKED_ACCESSES.certificate : undefined
}
