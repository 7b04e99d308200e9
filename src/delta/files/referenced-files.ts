import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Store, StoredObject } from '../../storage/store.ts'
import type { Add, Remove } from '../protocol/actions.ts'
import { deletionVectorOf, deletionVectorKey } from './deletion-vector.ts'
import { decodePath } from '../protocol/paths.ts'

/**
 * Collects the keys of referenced files, as 48 bits of a digest each: a table of a million files takes tens of
 * megabytes. If two keys share a digest, at most a file is kept that could be deleted.
 */
export class ReferencedFiles {
  readonly #digests = new Set<number>()

  /**
   * Adds the file of an `add` or `remove`, and that of its deletion vector. Writers disagree about percent signs in
   * paths, so both readings are added. Spec: "Deletion Vectors" (derived fields).
   * @throws KD_TABLE_UNSUPPORTED for an absolute path, which could name a file of the table directory
   * @throws KD_TABLE_CORRUPT
   */
  add(file: Pick<Add | Remove, 'path' | 'deletionVector'>): void {
    this.#addPath(file.path)
    const vector = deletionVectorOf(file)
    if (vector?.storageType === 'p') this.#addPath(vector.pathOrInlineDv)
    if (vector?.storageType === 'u') this.#digests.add(digest(deletionVectorKey(vector.pathOrInlineDv)))
  }

  #addPath(path: string): void {
    this.#digests.add(digest(posix.normalize(decodePath(path))))
    this.#digests.add(digest(posix.normalize(path)))
  }

  /** Tells whether a file is referenced. */
  has(key: string): boolean {
    return this.#digests.has(digest(key))
  }
}

function digest(key: string): number {
  return createHash('md5').update(key).digest().readUIntBE(0, 6)
}

/**
 * Lists the files in the table directory that could be data files: all except the log and hidden files. Hidden is any
 * file or directory whose name begins with `_` or `.`, except partition directories and `_change_data`. Spec: "Change
 * Data Files", "Data Files".
 */
export async function* listVisibleFiles(
  store: Store,
  partitionColumns: readonly string[],
): AsyncGenerator<StoredObject> {
  for await (const object of store.list('')) {
    if (!object.key.split('/').some((name) => isHidden(name, partitionColumns))) yield object
  }
}

function isHidden(name: string, partitionColumns: readonly string[]): boolean {
  if (!name.startsWith('_') && !name.startsWith('.')) return false
  return name !== '_change_data' && !partitionColumns.some((column) => name.startsWith(`${column}=`))
}
