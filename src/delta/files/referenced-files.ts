import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Store, StoredObject } from '../../storage/store.ts'
import type { Add, Remove } from '../protocol/actions.ts'
import { deletionVectorOf, vectorKey } from './deletion-vector.ts'
import { decodePath } from '../protocol/paths.ts'

/**
 * Keys of files that must be kept, as 48 bits of a digest each: a table of a million files costs tens of megabytes. Two
 * keys of one digest only make a file stay that could go.
 */
export class KeptFiles {
  readonly #digests = new Set<number>()

  /**
   * Keeps the file of an `add` or `remove`, and that of its deletion vector. Writers disagree about what a percent sign in
   * a path means, so both readings of it are kept. Throws `KD_TABLE_UNSUPPORTED` for an absolute path, which could name a
   * file of this folder, `KD_TABLE_CORRUPT`. Spec: "Deletion Vectors" (derived fields).
   */
  keep(file: Pick<Add | Remove, 'path' | 'deletionVector'>): void {
    this.#keepPath(file.path)
    const vector = deletionVectorOf(file)
    if (vector?.storageType === 'p') this.#keepPath(vector.pathOrInlineDv)
    if (vector?.storageType === 'u') this.#digests.add(digest(vectorKey(vector.pathOrInlineDv)))
  }

  #keepPath(path: string): void {
    this.#digests.add(digest(posix.normalize(decodePath(path))))
    this.#digests.add(digest(posix.normalize(path)))
  }

  has(key: string): boolean {
    return this.#digests.has(digest(key))
  }
}

function digest(key: string): number {
  return createHash('md5').update(key).digest().readUIntBE(0, 6)
}

/**
 * Files in the table's folder that could be data files: all but the log and what is hidden, which is any file or folder whose
 * name begins with `_` or `.`, save folders of partition columns and `_change_data`. Spec: "Change Data Files", "Data Files".
 */
export async function* visibleFiles(
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
