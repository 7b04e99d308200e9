import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { decodePath } from '../protocol/paths.ts'

/** A `StoreOpener` opens the store with the root `uri`. */
export type StoreOpener = (uri: string) => Promise<Store>

/** Locates a file: its store and its key there. */
interface FileLocation {
  readonly store: Store
  readonly key: string
}

/** Segments that a path must not have: they are empty or climb to another directory. */
const INVALID_SEGMENTS: ReadonlySet<string> = new Set(['', '.', '..'])

/** Parts of an absolute URI. */
interface AbsoluteLocation {
  /** Scheme such as `file` or `s3`. */
  readonly scheme: string
  /** Bucket; empty for local files. */
  readonly authority: string
  /** Decoded path without leading or trailing slashes. */
  readonly path: string
}

/**
 * Locates files by their paths in the log. Files of the table are in its own store. Files outside the table, which have
 * absolute paths (shallow clones), are in other stores of the same kind that `open` opens; without `open` they are
 * refused. Spec: "Add File and Remove File" (`path`), "Deletion Vector Descriptor Schema" (`pathOrInlineDv`).
 */
export class FileLocator {
  readonly #own: Store
  readonly #open: StoreOpener | undefined
  readonly #others = new Map<string, Promise<Store>>()

  constructor(own: Store, open?: StoreOpener) {
    this.#own = own
    this.#open = open
  }

  /**
   * Returns the store and key of a file.
   * @throws KD_TABLE_UNSUPPORTED if the file is outside the table and must not or cannot be opened
   * @throws KD_TABLE_CORRUPT if the path cannot be decoded or climbs out of its root
   */
  async locate(path: string): Promise<FileLocation> {
    const absolute = parseAbsolutePath(path)
    const plain = absolute?.path ?? decodePath(path)
    if (plain.includes('\0') || plain.split('/').some((segment) => INVALID_SEGMENTS.has(segment))) {
      throw new PipelineError('KD_TABLE_CORRUPT', 'a file path has an empty, "." or ".." segment', { path })
    }
    if (absolute === undefined) return { store: this.#own, key: plain }
    const root = parseTableUri(this.#own.uri)
    const key = root === undefined ? undefined : keyWithin(root, absolute)
    if (key !== undefined) return { store: this.#own, key }
    // Another kind of store has other access rights, and a log must not choose which rights are used.
    if (root?.scheme !== absolute.scheme || this.#open === undefined) {
      throw new PipelineError('KD_TABLE_UNSUPPORTED', 'data files outside the table cannot be read', {
        path,
      })
    }
    const uri = absolute.scheme === 'file' ? '/' : `${absolute.scheme}://${absolute.authority}/`
    const other = this.#others.get(uri) ?? this.#open(uri)
    this.#others.set(uri, other)
    return { store: await other, key: absolute.path }
  }

  /** Closes the stores that were opened for files outside the table. */
  async close(): Promise<void> {
    for (const store of this.#others.values()) await (await store).close()
  }
}

/** Parses an absolute path of the log; returns `undefined` for a relative one. */
function parseAbsolutePath(path: string): AbsoluteLocation | undefined {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/]*))?(\/?.*)$/s.exec(path)
  const [, scheme, authority = '', rest = ''] = match ?? []
  if (scheme === undefined && !path.startsWith('/')) return undefined
  try {
    return normaliseLocation(scheme ?? 'file', authority, decodeURIComponent(rest))
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a file path is not a valid URI', { path }, { cause })
  }
}

/** Parses the URI of the table, which a user wrote: paths without a scheme are not encoded. */
function parseTableUri(uri: string): AbsoluteLocation | undefined {
  if (uri.startsWith('/')) return normaliseLocation('file', '', uri)
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/s.exec(uri)
  const [, scheme = '', authority = '', rest = ''] = match ?? []
  if (match === null) return undefined
  return normaliseLocation(scheme, authority, scheme === 'file' ? decodeURIComponent(rest) : rest)
}

function normaliseLocation(scheme: string, authority: string, path: string): AbsoluteLocation {
  const plain = scheme.toLowerCase()
  return {
    scheme: plain === 's3a' || plain === 's3n' ? 's3' : plain,
    authority,
    path: path.replace(/^\/+|\/+$/g, ''),
  }
}

/** Returns the key of a file below the root; `undefined` if it is elsewhere. */
function keyWithin(root: AbsoluteLocation, file: AbsoluteLocation): string | undefined {
  if (root.scheme !== file.scheme || root.authority !== file.authority) return undefined
  const prefix = root.path === '' ? '' : `${root.path}/`
  return file.path.startsWith(prefix) ? file.path.slice(prefix.length) : undefined
}
