import { createHash } from 'node:crypto'
import { orAbsent, type Store } from '../../storage/store.ts'
import { parseJson } from '../protocol/action-json.ts'
import { LAST_CHECKPOINT_KEY } from '../protocol/paths.ts'

/** What `_last_checkpoint` says of a checkpoint. Spec: "Last Checkpoint File Schema". */
export interface LastCheckpoint {
  readonly version: number
  /** Actions in the checkpoint. */
  readonly size: number
  readonly sizeInBytes: number
  readonly numOfAddFiles: number
}

/**
 * The version that `_last_checkpoint` names. It is a hint alone: where it is absent, garbage, or not what its checksum
 * says, the listing decides. Spec: "Last Checkpoint File".
 */
export async function readLastCheckpoint(store: Store): Promise<bigint | undefined> {
  const body = await orAbsent(store.get(LAST_CHECKPOINT_KEY))
  if (body === undefined) return undefined
  try {
    const hint = parseJson(new TextDecoder().decode(body)) as Readonly<Record<string, unknown>>
    const { version, checksum } = hint
    if (typeof checksum === 'string' && checksum !== jsonChecksum(hint)) return undefined
    return Number.isSafeInteger(version) && (version as number) >= 0 ? BigInt(version as number) : undefined
  } catch {
    // Garbage: somebody else's half-written hint must stop nobody.
    return undefined
  }
}

/** Names a checkpoint as the newest, unless a newer one is named already. */
export async function writeLastCheckpoint(store: Store, last: LastCheckpoint): Promise<void> {
  const named = await readLastCheckpoint(store)
  if (named !== undefined && named > BigInt(last.version)) return
  const body = JSON.stringify({ ...last, checksum: jsonChecksum({ ...last }) })
  await store.put(LAST_CHECKPOINT_KEY, new TextEncoder().encode(body))
}

/** The MD5 digest, in hex, of a JSON object in its canonical form without its `checksum`. Spec: "JSON checksum". */
export function jsonChecksum(object: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(object).filter(([key]) => key !== 'checksum')
  return createHash('md5')
    .update(canonicalJson(Object.fromEntries(entries)))
    .digest('hex')
}

/** Paths and values of every leaf, `"a"+0="x"`, joined by commas in the byte order of the paths. Spec: "JSON checksum". */
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
  // encodeURIComponent leaves five characters alone that the specification reserves.
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `"${encoded}"`
}
