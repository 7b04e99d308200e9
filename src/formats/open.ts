import type { CodecName } from '../compression/compression.ts'
import { decompressed } from './decompress.ts'
import type { Format, FormatOptions } from './format.ts'
import type { FormatSettings } from './settings.ts'
import { FORMATS } from './table.ts'

/** Which format the values of a topic have. */
export interface FormatChoice extends FormatSettings {
  /** Name of a format in the table of formats. */
  readonly format: string
  /** How each value is compressed by itself. */
  readonly decompress: 'none' | 'auto' | CodecName
  /** Bytes that one value may come to. */
  readonly decompressedBytesMax: number
}

/** The format of a topic, ready to decode; what it needs (a codec, schemas) is loaded. @throws KD_CONTRACT_INVALID */
export async function openFormat(choice: FormatChoice, options: FormatOptions): Promise<Format> {
  const make = FORMATS[choice.format]
  if (make === undefined) throw new Error(`Broken invariant: no format ${choice.format}`)
  const format = await make(options, choice)
  const { decompress, decompressedBytesMax } = choice
  return decompress === 'none' ? format : decompressed(format, { decompress, decompressedBytesMax })
}
