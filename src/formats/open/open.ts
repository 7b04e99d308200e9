import type { CodecName } from '../../compression/compression.ts'
import { PipelineError } from '../../core/errors.ts'
import { debeziumFormat } from '../debezium/format.ts'
import { decompressed } from '../framing/decompress.ts'
import type { Format, FormatOptions } from '../format.ts'
import type { FormatSettings } from '../settings.ts'
import { FORMATS } from './registry.ts'
import { toldApart, type OpenWay } from './detect.ts'
import { waysOf } from './candidates.ts'

/** Which format the values of a topic have. */
export interface FormatChoice extends FormatSettings {
  /** Name of a format in the table of formats. */
  readonly format: string
  /** How each value is compressed by itself. */
  readonly decompress: 'none' | 'auto' | CodecName
}

/** The format of a topic, ready to decode; what it needs (a codec, schemas) is loaded. @throws KD_CONTRACT_INVALID */
export async function openFormat(choice: FormatChoice, options: FormatOptions): Promise<Format> {
  const { envelope, debezium } = choice
  const format =
    envelope === 'debezium'
      ? debeziumFormat(await openValues(choice, NO_COLUMNS), debezium ?? { fields: [] }, options)
      : await openValues(choice, options)
  const { decompress, decompressedBytesMax } = choice
  return decompress === 'none' ? format : decompressed(format, { decompress, decompressedBytesMax })
}

/** Columns are those of the rows in events, so that no event may go straight into them. */
const NO_COLUMNS: FormatOptions = { schema: { type: 'struct', fields: [] }, plain: undefined }

function openValues(choice: FormatChoice, options: FormatOptions): Promise<Format> {
  return choice.formats === undefined
    ? openOne(choice.format, choice, options)
    : openSeveral(choice.formats, choice, options)
}

async function openOne(name: string, settings: FormatSettings, options: FormatOptions): Promise<Format> {
  const make = FORMATS[name]
  if (make === undefined) throw new Error(`Broken invariant: no format ${name}`)
  return await make(options, settings)
}

async function openSeveral(
  names: readonly string[],
  settings: FormatSettings,
  options: FormatOptions,
): Promise<Format> {
  const ways = names.flatMap((name) => {
    const found = waysOf(name, settings)
    if (found.length > 0) return found
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `formats: ${name} needs ${name}.schema or schemaRegistry.url`,
    )
  })
  const opened = ways.map(async (way): Promise<OpenWay> => {
    const reader = await openOne(way.format, { ...settings, framing: way.framing }, options)
    return { ...way, reader }
  })
  return toldApart(await Promise.all(opened))
}
