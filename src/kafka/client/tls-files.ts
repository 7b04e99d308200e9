import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { BrokerTls } from '../../core/tls/tls-files.ts'

/** Maximum size of a file; a bundle of all public authorities has a fifth of it. */
const BYTES_MAX = 1024 * 1024

/**
 * Returns a function that reads the files for each connection, so that renewed certificates are used without a restart. The
 * function throws the error of a file that cannot be read.
 * @throws KD_CONFIG_INVALID if the files cannot be used now; KD_KAFKA_TLS_FAILED if the client certificate is not valid now
 */
export function tlsFromFiles(files: BrokerTls, clock: Clock = systemClock): () => ConnectionOptions {
  try {
    createSecureContext(optionsOf(files))
  } catch (error) {
    // Messages of OpenSSL name the kind of fault and contain nothing of the files.
    const named = [files.caFile, files.certFile, files.keyFile].filter((file) => file !== undefined)
    const detail = `the certificates of kafka.tls cannot be used: ${messageOf(error)}`
    throw new PipelineError('KD_CONFIG_INVALID', detail, { files: named }, { cause: error })
  }
  if (files.certFile !== undefined) checkDates(files.certFile, clock.now())
  return () => optionsOf(files)
}

/** Refuses a client certificate that is not valid now: brokers would refuse it without a reason. */
function checkDates(certFile: string, nowMs: number): void {
  const { validFrom, validTo } = new X509Certificate(read(certFile))
  if (Date.parse(validTo) < nowMs) {
    const detail = `this client's certificate has expired: it was valid until ${validTo}; renew kafka.tls.certFile`
    throw new PipelineError('KD_KAFKA_TLS_FAILED', detail, { certFile })
  }
  if (Date.parse(validFrom) > nowMs) {
    const detail = `this client's certificate is not valid before ${validFrom}; check the clock of this machine`
    throw new PipelineError('KD_KAFKA_TLS_FAILED', detail, { certFile })
  }
}

function optionsOf(files: BrokerTls): ConnectionOptions {
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
