import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Schemes that lead to one store, by the one that names it. */
const SCHEMES: Readonly<Record<string, string>> = { s3a: 's3', abfs: 'abfss', azure: 'az' }

/**
 * The server that a store at `uri` depends on: the bucket or container (with its account where the URI names it), such as
 * `s3://lake`; of files their folder, as `file:///data/table`; `undefined` for memory, which never fails as a whole.
 * Without secrets. Stores of one name share a circuit.
 */
export function circuitNameOf(uri: string): string | undefined {
  const [, scheme = '', place = ''] = /^([a-z][a-z0-9+.-]+):(?:\/\/)?([^/]*)/i.exec(uri) ?? []
  const name = scheme.toLowerCase()
  if (name === 'memory') return undefined
  if (name === '' || name === 'file')
    return `file://${name === '' ? resolve(uri) : fileURLToPath(uri).replace(/(.)\/+$/, '$1')}`
  return `${SCHEMES[name] ?? name}://${place}`
}
