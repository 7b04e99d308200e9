import { crc32 } from '@node-rs/crc32'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import { asSafeInteger, asString, JsonFields } from '../protocol/fields.ts'
import { FileLocator } from './file-locations.ts'
import { decodeRowSet, type RowSet } from './roaring.ts'
import { decodeZ85 } from './z85.ts'

/** Describes where the deleted rows of a file are stored. Spec: "Deletion Vector Descriptor Schema". */
interface DeletionVector {
  /** `u`: in a file named by a UUID; `p`: at an absolute path; `i`: inline. */
  readonly storageType: 'u' | 'p' | 'i'
  readonly pathOrInlineDv: string
  /** Byte offset in the file; 0 if the log does not state it. */
  readonly offset: number
  readonly sizeInBytes: number
  /** Number of deleted rows. */
  readonly cardinality: number
}

/** Version byte at the start of a file of deletion vectors. Spec: "Deletion Vector File Storage Format". */
const FILE_VERSION = 1

/** Characters of a UUID in Z85. */
const UUID_CHARACTERS = 20

/**
 * Parses the deletion vector descriptor of a file; returns `undefined` if the file has none.
 * @throws KD_TABLE_CORRUPT with the path of the file
 */
export function deletionVectorOf(add: Pick<Add, 'path' | 'deletionVector'>): DeletionVector | undefined {
  if (add.deletionVector === undefined) return undefined
  try {
    const fields = new JsonFields(add.deletionVector, 'deletionVector')
    const natural = (value: unknown): number | undefined => {
      const number = asSafeInteger(value)
      return number === undefined || number < 0 ? undefined : number
    }
    return {
      storageType: fields.required('storageType', (value) =>
        value === 'u' || value === 'p' || value === 'i' ? value : undefined,
      ),
      pathOrInlineDv: fields.required('pathOrInlineDv', asString),
      offset: fields.optional('offset', natural) ?? 0,
      sizeInBytes: fields.required('sizeInBytes', natural),
      cardinality: fields.required('cardinality', natural),
    }
  } catch (cause) {
    throw corrupt(messageOf(cause), add.path, cause)
  }
}

/**
 * Reads the row indexes, from 0, that the deletion vector of a file deletes; returns `undefined` if the file has none.
 * Spec: "Deletion Vectors", "Deletion Vector Format".
 * @throws KD_TABLE_CORRUPT if the vector is missing, damaged, or differs in size or cardinality from the log
 * @throws KD_TABLE_UNSUPPORTED if it lies outside the table
 */
export async function readDeletedRows(
  store: Store,
  add: Pick<Add, 'path' | 'deletionVector'>,
  locator: FileLocator = new FileLocator(store),
): Promise<RowSet | undefined> {
  const vector = deletionVectorOf(add)
  if (vector === undefined) return undefined
  try {
    const rows = decodeRowSet(await vectorBytes(store, vector, locator))
    if (rows.size === vector.cardinality) return rows
    throw new RangeError(`it deletes ${rows.size} rows, the log says ${vector.cardinality}`)
  } catch (cause) {
    if (cause instanceof RangeError) throw corrupt(`the deletion vector: ${cause.message}`, add.path, cause)
    if (cause instanceof PipelineError && cause.code === 'KD_STORE_NOT_FOUND') {
      throw corrupt('the file of the deletion vector is missing', add.path, cause)
    }
    throw cause
  }
}

/**
 * Returns the store key of a deletion vector file from a prefix, which may be empty, and a UUID in Z85. Spec: "Derived
 * Fields".
 * @throws RangeError if the text is malformed
 */
export function deletionVectorKey(text: string): string {
  if (text.length < UUID_CHARACTERS) throw new RangeError('a path is shorter than a UUID')
  const hex = Buffer.from(decodeZ85(text.slice(-UUID_CHARACTERS))).toString('hex')
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const prefix = text.slice(0, -UUID_CHARACTERS)
  if (prefix === '') return `deletion_vector_${uuid}.bin`
  if (!/^[^/\\\0]+$/.test(prefix) || prefix === '.' || prefix === '..') {
    throw new RangeError(`${JSON.stringify(prefix)} is not a valid path prefix`)
  }
  return `${prefix}/deletion_vector_${uuid}.bin`
}

async function vectorBytes(own: Store, vector: DeletionVector, locator: FileLocator): Promise<Uint8Array> {
  const { offset, sizeInBytes } = vector
  if (vector.storageType === 'i') {
    const bytes = decodeZ85(vector.pathOrInlineDv)
    // Z85 pads to a multiple of four bytes.
    if (bytes.length < sizeInBytes || bytes.length - sizeInBytes > 3)
      throw wrongSize(bytes.length, sizeInBytes)
    return bytes.subarray(0, sizeInBytes)
  }
  const { store, key } =
    vector.storageType === 'p'
      ? await locator.locate(vector.pathOrInlineDv)
      : { store: own, key: deletionVectorKey(vector.pathOrInlineDv) }
  const end = offset + 4 + sizeInBytes + 4
  const [head, held] = await Promise.all([store.get(key, { start: 0, end: 1 }), store.size(key)])
  if (head[0] !== FILE_VERSION) throw new RangeError(`its file is of version ${String(head[0])}`)
  // Checked before the read, so that a wrong size costs no memory.
  if ((held ?? 0) < end) throw new RangeError(`its file ends before byte ${end}`)
  const bytes = await store.get(key, { start: offset, end })
  if (bytes.length !== end - offset) throw new RangeError(`its file ends before byte ${end}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== sizeInBytes) throw wrongSize(view.getUint32(0), sizeInBytes)
  const data = bytes.subarray(4, 4 + sizeInBytes)
  if (view.getUint32(4 + sizeInBytes) !== crc32(data)) throw new RangeError('its checksum is wrong')
  return data
}

function wrongSize(found: number, wanted: number): RangeError {
  return new RangeError(`it has ${found} bytes, the log says ${wanted}`)
}

function corrupt(detail: string, path: string, cause: unknown): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', detail, { path }, { cause })
}
