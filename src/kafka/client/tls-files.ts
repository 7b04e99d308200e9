import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { messageOf, PipelineError } from '../../core/errors.ts'

/** Where certificates lie, as PEM, and how those of the brokers are looked at. */
export interface TlsFiles {
  /** Authorities of the brokers; the system's where it is absent. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassphrase?: string
  /** Name expected in the brokers' certificates. */
  readonly serverName?: string
  /** Takes any certificate. */
  readonly insecureSkipVerify: boolean
}

/** A bundle of all authorities of the world is a fifth of it. */
const BYTES_MAX = 1024 * 1024

/**
 * TLS options that read the files anew whenever they are asked, so that renewed certificates count from the next connection on.
 * @throws KD_CONFIG_INVALID when they cannot be used now, KD_KAFKA_TLS_FAILED when our own has expired; later on, what a file that cannot be read throws.
 */
export function tlsFromFiles(files: TlsFiles): () => ConnectionOptions {
  try {
    createSecureContext(optionsOf(files))
  } catch (error) {
    // OpenSSL's messages name the kind of fault and nothing of the files' content.
    const named = [files.caFile, files.certFile, files.keyFile].filter((file) => file !== undefined)
    const detail = `the certificates of kafka.tls cannot be used: ${messageOf(error)}`
    throw new PipelineError('KD_CONFIG_INVALID', detail, { files: named }, { cause: error })
  }
  if (files.certFile !== undefined) checkDates(files.certFile)
  return () => optionsOf(files)
}

/** Brokers refuse such a certificate without saying why. */
function checkDates(certFile: string): void {
  const { validFrom, validTo } = new X509Certificate(read(certFile))
  const now = Date.now()
  if (Date.parse(validTo) < now) {
    const detail = `this client's certificate has expired: it was valid until ${validTo}; renew kafka.tls.certFile`
    throw new PipelineError('KD_KAFKA_TLS_FAILED', detail, { certFile })
  }
  if (Date.parse(validFrom) > now) {
    const detail = `this client's certificate is not valid before ${validFrom}; check the clock of this machine`
    throw new PipelineError('KD_KAFKA_TLS_FAILED', detail, { certFile })
  }
}

function optionsOf(files: TlsFiles): ConnectionOptions {
  const { caFile, certFile, keyFile, keyPassphrase, serverName, insecureSkipVerify } = files
  return {
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
    ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: !insecureSkipVerify,
  }
}

function read(path: string): Buffer {
  const { size } = statSync(path)
  if (size > BYTES_MAX) throw new Error(`expected at most ${BYTES_MAX} bytes in ${path}, got ${size}`)
  return readFileSync(path)
}
