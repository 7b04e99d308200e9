import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Files of a certificate: PEM, and the key and the certificate in one, as Kafka wants it. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  readonly bothFile: string
}

/** An authority that signs certificates into a folder. */
export interface Authority {
  readonly caFile: string
  /** `names` as OpenSSL writes them (`IP:127.0.0.1`, `DNS:a.example`); `days` below zero for one that has expired. */
  sign(name: string, options?: { readonly names?: string; readonly days?: number }): Promise<Certificate>
}

/** Makes an authority with OpenSSL, which every system that runs these tests has. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const at = (file: string): string => join(folder, `${name}-${file}`)
  const [caKey, caFile] = [at('ca.key'), at('ca.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run(
    'openssl',
    ['req', '-x509', ...key, '-keyout', caKey, '-out', caFile, '-days', '2'].concat('-subj', `/CN=${name}`),
  )
  return {
    caFile,
    sign: async (subject, { names = 'IP:127.0.0.1,DNS:localhost', days = 2 } = {}) => {
      const [keyFile, request, certFile] = [at(`${subject}.key`), at(`${subject}.csr`), at(`${subject}.pem`)]
      const extensions = at(`${subject}.ext`)
      await writeFile(extensions, `subjectAltName=${names}\n`)
      await run('openssl', ['req', ...key, '-keyout', keyFile, '-out', request, '-subj', `/CN=${subject}`])
      await run(
        'openssl',
        [
          'x509',
          '-req',
          '-in',
          request,
          '-CA',
          caFile,
          '-CAkey',
          caKey,
          '-set_serial',
          `0x${randomBytes(8).toString('hex')}`,
        ].concat('-days', String(days), '-extfile', extensions, '-out', certFile),
      )
      const bothFile = at(`${subject}-both.pem`)
      await writeFile(bothFile, `${await readFile(keyFile, 'utf8')}${await readFile(certFile, 'utf8')}`)
      return { certFile, keyFile, bothFile }
    },
  }
}
