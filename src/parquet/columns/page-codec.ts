import { openCodec } from '../../compression/compression.ts'
import type { Codec } from '../writer.ts'

/** Compresses the pages of a column chunk. */
export interface PageCodec {
  /** Id of the codec in Parquet's footers. */
  readonly id: number
  compress(bytes: Uint8Array): Uint8Array
}

const IDS = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const

/** Returns the codec of that name, ready for use. */
export async function openPageCodec(name: Codec): Promise<PageCodec> {
  if (name === 'none') return { id: IDS.none, compress: (bytes) => bytes }
  const codec = await openCodec(name)
  // The encoder of Arrow uses the lowest level too.
  return { id: IDS[name], compress: (bytes) => codec.compress(bytes, 'fast') }
}
