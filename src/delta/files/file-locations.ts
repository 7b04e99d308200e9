import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { decodePath } from '../protocol/paths.ts'

/** Opens the store whose root is at a URI. */
export type OpenStore = (uri: string) => Promise<Store>

/** Where a file lies. */
export interface Place {
  readonly store: Store
  readonly key: string
}

/** What no part of a path may be: such a path has another form, or leads elsewhere. */
const NO_SEGMENTS: ReadonlySet<string> = new Set(['', '.', '..'])

/** What an absolute URI names. */
interface Absolute {
  /** `file`, `s3` and the like. */
  readonly scheme: string
  /** The bucket; empty for local files. */
  readonly authority: string
  /** Decoded, without a slash at its ends. */
  readonly path: string
}

/**
 * Finds files of the log by their paths: those of the table in its own store, others, which only absolute paths name (of a
 * shallow clone), in stores of the same kind that `open` opens. Without `open` they are refused.
 * Spec: "Add File and Remove File" (`path`), "Deletion Vector Descriptor Schema" (`pathOrInlineDv`).
 */
export class Places {
  readonly #own: Store
  readonly #open: OpenStore | undefined
  readonly #others = new Map<string, Promise<Store>>()

  constructor(own: Store, open?: OpenStore) {
    this.#own = own
    this.#open = open
  }

  /**
   * The place of a file. Throws `KD_TABLE_UNSUPPORTED` for one outside of the table that may not or cannot be opened,
   * `KD_TABLE_CORRUPT` for a path that cannot be decoded or that climbs.
   */
  async of(path: string): Promise<Place> {
    const absolute = absoluteOf(path)
    const plain = absolute?.path ?? decodePath(path)
    if (plain.includes('\0') || plain.split('/').some((segment) => NO_SEGMENTS.has(segment))) {
      throw new PipelineError('KD_TABLE_CORRUPT', 'a path has a segment that is no name', { path })
    }
    if (absolute === undefined) return { store: this.#own, key: plain }
    const root = rootOf(this.#own.uri)
    const key = root === undefined ? undefined : keyWithin(root, absolute)
    if (key !== undefined) return { store: this.#own, key }
    // Another kind of store has other rights: a log must not choose with whose.
    if (root?.scheme !== absolute.scheme || this.#open === undefined) {
      throw new PipelineError('KD_TABLE_UNSUPPORTED', 'data files outside of the table are not read here', {
        path,
      })
    }
    const uri = absolute.scheme === 'file' ? '/' : `${absolute.scheme}://${absolute.authority}/`
    const other = this.#others.get(uri) ?? this.#open(uri)
    this.#others.set(uri, other)
    return { store: await other, key: absolute.path }
  }

  /** Closes the stores that were opened for files outside of the table. */
  async close(): Promise<void> {
    for (const store of this.#others.values()) await (await store).close()
  }
}

/** What a path of the log names where it is absolute; `undefined` for a relative one. */
function absoluteOf(path: string): Absolute | undefined {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/]*))?(\/?.*)$/s.exec(path)
  const [, scheme, authority = '', rest = ''] = match ?? []
  if (scheme === undefined && !path.startsWith('/')) return undefined
  try {
    return absolute(scheme ?? 'file', authority, decodeURIComponent(rest))
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a path is not a URI', { path }, { cause })
  }
}

/** What the table's own URI names, which a person wrote: a path is not encoded. */
function rootOf(uri: string): Absolute | undefined {
  if (uri.startsWith('/')) return absolute('file', '', uri)
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/s.exec(uri)
  const [, scheme = '', authority = '', rest = ''] = match ?? []
  if (match === null) return undefined
  return absolute(scheme, authority, scheme === 'file' ? decodeURIComponent(rest) : rest)
}

function absolute(scheme: string, authority: string, path: string): Absolute {
  const plain = scheme.toLowerCase()
  return {
    scheme: plain === 's3a' || plain === 's3n' ? 's3' : plain,
    authority,
    path: path.replace(/^\/+|\/+$/g, ''),
  }
}

/** The key of a file below the root; `undefined` for one that is elsewhere. */
function keyWithin(root: Absolute, file: Absolute): string | undefined {
  if (root.scheme !== file.scheme || root.authority !== file.authority) return undefined
  const prefix = root.path === '' ? '' : `${root.path}/`
  return file.path.startsWith(prefix) ? file.path.slice(prefix.length) : undefined
}
