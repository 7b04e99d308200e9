import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Alternative schemes of a store and the scheme that names its circuit. */
const SCHEMES: Readonly<Record<string, string>> = { s3a: 's3', abfs: 'abfss', azure: 'az' }

/**
 * Returns the circuit name of the access to the table at `uri`, such as `s3://lake/orders`; for files it is that of the
 * store. `undefined` for memory. The name contains no secrets.
 */
export function accessCircuitNameOf(uri: string): string | undefined {
  const name = circuitNameOf(uri)
  if (name === undefined || name.startsWith('file:')) return name
  const [, path = ''] = /^[a-z][a-z0-9+.-]+:(?:\/\/)?[^/]*\/+([^?#]*)/i.exec(uri) ?? []
  return path === '' ? name : `${name}/${path.replace(/\/+$/, '')}`
}

/**
 * Returns the circuit name of the store at `uri`: the bucket or container (with its account if the URI contains it), such
 * as `s3://lake`; for files the folder, such as `file:///data/table`; `undefined` for memory, which has no circuit.
 * The name contains no secrets. Stores with the same name share a circuit.
 */
export function circuitNameOf(uri: string): string | undefined {
  const [, scheme = '', place = ''] = /^([a-z][a-z0-9+.-]+):(?:\/\/)?([^/]*)/i.exec(uri) ?? []
  const name = scheme.toLowerCase()
  if (name === 'memory') return undefined
  if (name === '' || name === 'file')
    return `file://${name === '' ? resolve(uri) : fileURLToPath(uri).replace(/(.)\/+$/, '$1')}`
  return `${SCHEMES[name] ?? name}://${place}`
}
