import { createHash } from 'node:crypto'
import { undefinedIfNotFound, type Store } from '../../storage/store.ts'
import { parseJson } from '../protocol/action-json.ts'
import { LAST_CHECKPOINT_KEY } from '../protocol/paths.ts'

/** Holds the contents of `_last_checkpoint`. Spec: "Last Checkpoint File Schema". */
interface LastCheckpoint {
  readonly version: number
  /** Number of actions in the checkpoint. */
  readonly size: number
  readonly sizeInBytes: number
  readonly numOfAddFiles: number
}

/**
 * Returns the version in `_last_checkpoint`. It is only a hint: if it is absent, malformed or fails its checksum, the
 * listing decides. Spec: "Last Checkpoint File".
 */
export async function readLastCheckpoint(store: Store): Promise<bigint | undefined> {
  const body = await undefinedIfNotFound(store.get(LAST_CHECKPOINT_KEY))
  if (body === undefined) return undefined
  try {
    const hint = parseJson(new TextDecoder().decode(body)) as Readonly<Record<string, unknown>>
    const { version, checksum } = hint
    if (typeof checksum === 'string' && checksum !== jsonChecksum(hint)) return undefined
    return Number.isSafeInteger(version) && (version as number) >= 0 ? BigInt(version as number) : undefined
  } catch {
    // A half-written hint of another writer must not stop readers.
    return undefined
  }
}

/** Names a checkpoint as the newest, unless a newer one is already named. Returns what was put. */
export async function writeLastCheckpoint(
  store: Store,
  last: LastCheckpoint,
): Promise<Uint8Array | undefined> {
  const named = await readLastCheckpoint(store)
  if (named !== undefined && named > BigInt(last.version)) return undefined
  const body = new TextEncoder().encode(JSON.stringify({ ...last, checksum: jsonChecksum({ ...last }) }))
  await store.put(LAST_CHECKPOINT_KEY, body)
  return body
}

/**
 * Returns the MD5 digest, in hex, of the canonical form of a JSON object without its `checksum`. Spec: "JSON checksum".
 */
export function jsonChecksum(object: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(object).filter(([key]) => key !== 'checksum')
  return createHash('md5')
    .update(canonicalJson(Object.fromEntries(entries)))
    .digest('hex')
}

/**
 * Returns the canonical form of a JSON value: paths and values of all leaves, `"a"+0="x"`, joined by commas in the byte
 * order of the paths. Spec: "JSON checksum".
 */
export function canonicalJson(value: unknown): string {
  return leaves(value, '')
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([path, leaf]) => `${path}=${leaf}`)
    .join(',')
}

function leaves(value: unknown, path: string): [path: string, leaf: string][] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, joined(path, String(index))))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => leaves(item, joined(path, quoted(key))))
  }
  return [[path, typeof value === 'string' ? quoted(value) : String(value)]]
}

function joined(path: string, segment: string): string {
  return path === '' ? segment : `${path}+${segment}`
}

function quoted(text: string): string {
  // encodeURIComponent does not escape five characters that the specification reserves.
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `"${encoded}"`
}
