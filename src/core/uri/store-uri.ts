import { fileURLToPath } from 'node:url'

/** Locates the root of a store, by kind. A prefix neither begins nor ends with a slash. */
export type StoreLocation =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'memory'; readonly name: string }
  | { readonly kind: 's3' | 'gcs'; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 'azure'
      readonly container: string
      /** Absent when the URI does not name the account. */
      readonly host?: string
      readonly prefix: string
    }

/** Tells why a URI names no store, as the end of a sentence. It contains no secret, so nothing of a remote URI. */
interface StoreUriFault {
  readonly fault: string
}

const SCHEMES: Readonly<Record<string, (uri: string) => StoreLocation | StoreUriFault>> = {
  file: parseFile,
  memory: (uri) => ({ kind: 'memory', name: uri.slice('memory:'.length) }),
  s3: (uri) => parseBucket('s3', uri),
  s3a: (uri) => parseBucket('s3', uri),
  abfss: parseAzure,
  abfs: parseAzure,
  az: parseAzure,
  azure: parseAzure,
  gs: (uri) => parseBucket('gcs', uri),
}

const AZURE = 'abfss://container@account.dfs.core.windows.net/prefix'
const AZURE_HINT = `write ${AZURE}`

/** Tells what to write instead of the schemes of other programs. */
const HINTS: Readonly<Record<string, string>> = {
  s3n: 'write s3://bucket/prefix',
  gcs: 'write gs://bucket/prefix',
  wasb: AZURE_HINT,
  wasbs: AZURE_HINT,
  adl: AZURE_HINT,
  dbfs: 'write the location in the object store, or the path under which DBFS is mounted, such as /dbfs/lake',
  hdfs: 'write the path under which HDFS is mounted, or copy the table to an object store',
  http: 'write s3://, abfss:// or gs://; the address of the server is an option of storage',
  https: 'write s3://, abfss:// or gs://; the address of the server is an option of storage',
}

/**
 * Parses the URI of a store: `s3://bucket/prefix` (or `s3a://`), `abfss://container@account.dfs.core.windows.net/prefix`
 * (or `abfs://`), `az://container/prefix` (or `azure://`), `gs://bucket/prefix`, `file:///folder`, `memory:name`, or a
 * path. Notations that only a shell or another system understands are faults, since they would name a folder of that
 * literal name.
 */
export function parseStoreUri(
  uri: string,
  platform: NodeJS.Platform = process.platform,
): StoreLocation | StoreUriFault {
  if (uri.trim() === '') return { fault: 'must not be empty' }
  if (uri.trim() !== uri) return { fault: 'must not begin or end with white space' }
  if (/\p{Cc}/u.test(uri)) return { fault: 'must not contain control characters' }
  const isWindows = platform === 'win32'
  if (isWindows && /^[a-z]:/i.test(uri)) return { kind: 'local', path: uri }
  if (/^[a-z]:[\\/]/i.test(uri)) return { fault: `must be a path of this system, not of Windows${was(uri)}` }
  const scheme = schemeOf(uri)
  if (scheme === undefined) return isWindows ? { kind: 'local', path: uri } : parsePath(uri)
  const parse = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (parse !== undefined) return parse(uri)
  const hint = Object.hasOwn(HINTS, scheme) ? HINTS[scheme] : `for a folder of that name write ./${scheme}:`
  return {
    fault: `must be a path or begin with s3://, abfss://, az://, gs:// or file:///, not with ${scheme}: (${hint})`,
  }
}

/** Returns why `uri` names no store, as the end of a sentence, or `undefined`. See `parseStoreUri`. */
export function storeUriFault(uri: string): string | undefined {
  const parsed = parseStoreUri(uri)
  return 'fault' in parsed ? parsed.fault : undefined
}

/**
 * Returns true for a path that can be resolved against a folder. It is false for URIs with a scheme, and for what
 * `parseStoreUri` refuses by its first characters.
 */
export function isResolvablePath(text: string): boolean {
  return text.trim() === text && text !== '' && schemeOf(text) === undefined && !SHELL_PATH.test(text)
}

/** Matches a path that begins with `~`, `~user`, `$VARIABLE` or `${VARIABLE}` as its first folder. */
const SHELL_PATH = /^(?:~(?:[^/]*\/|$)|\$(?:\{\w+\}|\w+)(?:\/|$))/

function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase()
}

function parsePath(path: string): StoreLocation | StoreUriFault {
  if (SHELL_PATH.test(path))
    return {
      fault: `must be a path without "~" and variables, which only a shell replaces${was(path)} (for a folder of that name write ./${path})`,
    }
  if (path.includes('\\')) return { fault: `must separate folders by "/", not by "\\"${was(path)}` }
  return { kind: 'local', path }
}

function parseFile(uri: string): StoreLocation | StoreUriFault {
  try {
    if (/^file:\/[^?#]*$/i.test(uri)) return { kind: 'local', path: fileURLToPath(uri) }
  } catch {
    // A host, or an encoded slash: the fault below says what is expected.
  }
  return { fault: `must be file:///folder, with special characters percent-encoded${was(uri)}` }
}

// Faults of the following do not contain the URI: it may contain a key and its secret.

function parseBucket(kind: 's3' | 'gcs', uri: string): StoreLocation | StoreUriFault {
  const [, bucket, path = ''] = /^[a-z0-9]+:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/i.exec(uri) ?? []
  const scheme = kind === 's3' ? 's3' : 'gs'
  if (bucket === undefined) return { fault: `must be ${scheme}://bucket/prefix with a plain bucket name` }
  return { kind, bucket, prefix: trimSlashes(path) }
}

function parseAzure(uri: string): StoreLocation | StoreUriFault {
  const match = /^[a-z]+:\/\/([a-z0-9$][a-z0-9-]+)(?:@([a-z0-9][a-z0-9.-]+))?(?:\/(.*))?$/i.exec(uri)
  const [, container, host, path = ''] = match ?? []
  // A signature would be part of every key.
  if (container === undefined || /[?&]sig=/i.test(path))
    return { fault: `must be ${AZURE} or az://container/prefix, without a signature` }
  return { kind: 'azure', container, ...(host === undefined ? {} : { host }), prefix: trimSlashes(path) }
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '')
}

function was(uri: string): string {
  return `: value was ${JSON.stringify(uri)}`
}
