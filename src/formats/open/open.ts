import { currentOf, type Changing } from '../../core/changing.ts'
import { PipelineError } from '../../core/errors.ts'
import { avroFormat, openAvroFraming } from '../avro/format.ts'
import { debeziumFormat } from '../debezium/format.ts'
import { withDecompression } from '../framing/decompress.ts'
import type { Format, FormatOptions } from '../format.ts'
import type { FormatChoice, FormatSettings } from '../settings.ts'
import { FORMAT_FACTORIES } from './format-factories.ts'
import { withThreads, type ColumnThreads } from './read-ahead.ts'
import { mainThreadReason, ThreadFormatRecorder } from './thread-format.ts'
import { detectingFormat, type OpenCandidate } from './detect.ts'
import { candidatesOf } from './candidates.ts'

export type { FormatChoice } from '../settings.ts'

/**
 * Returns the format of a topic, ready to decode. Codecs and schemas that it needs are loaded. With `threads`, these read
 * batches into columns, except for the formats of `mainThreadReason`.
 * @throws KD_CONTRACT_INVALID
 */
export async function openFormat(
  choice: FormatChoice,
  options: FormatOptions | Changing<FormatOptions>,
  threads?: ColumnThreads,
): Promise<Format> {
  if (threads === undefined || mainThreadReason(choice) !== undefined) return await openHere(choice, options)
  const recorder = new ThreadFormatRecorder(choice)
  const format = await openHere(recorder.choice, options)
  return withThreads(format, options, () => recorder.describe(), threads)
}

async function openHere(
  choice: FormatChoice,
  options: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const { envelope } = choice
  const format =
    envelope === 'debezium' ? await openEvents(choice, options) : await openValues(choice, options)
  const { decompress, decompressedBytesMax } = choice
  return decompress === 'none' ? format : withDecompression(format, { decompress, decompressedBytesMax })
}

/** Returns the format of Debezium events. Rows in JSON, and in Avro without containers, are read from bytes where possible. */
async function openEvents(
  choice: FormatChoice,
  options: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const { format, formats, framing, debezium = { fields: [] } } = choice
  if (formats === undefined && format === 'avro') {
    const avro = await openAvroFraming(choice)
    if (avro !== undefined)
      return debeziumFormat(avroFormat(avro), debezium, options, { columns: options, avro })
  }
  const isPlainJson = formats === undefined && format === 'json' && framing === 'none'
  const events = await openValues(choice, eventOptionsOf(options))
  return debeziumFormat(events, debezium, options, isPlainJson ? { columns: options } : undefined)
}

/** The columns are those of the rows in the events, so the format of events makes objects. */
function eventOptionsOf(options: FormatOptions | Changing<FormatOptions>): FormatOptions {
  const { keepFractions = false } = currentOf(options)
  return { schema: { type: 'struct', fields: [] }, plain: undefined, keepFractions }
}

function openValues(choice: FormatChoice, options: FormatOptions | Changing<FormatOptions>): Promise<Format> {
  return choice.formats === undefined
    ? openOne(choice.format, choice, options)
    : openSeveral(choice.formats, choice, options)
}

async function openOne(
  name: string,
  settings: FormatSettings,
  options: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const make = FORMAT_FACTORIES[name]
  if (make === undefined) throw new Error(`Broken invariant: no format ${name}`)
  return await make(options, settings)
}

async function openSeveral(
  names: readonly string[],
  settings: FormatSettings,
  options: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const candidates = names.flatMap((name) => {
    const found = candidatesOf(name, settings)
    if (found.length > 0) return found
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `formats: ${name} needs ${name}.schema or schemaRegistry.url`,
    )
  })
  const opened = candidates.map(async (candidate): Promise<OpenCandidate> => {
    const reader = await openOne(candidate.format, { ...settings, framing: candidate.framing }, options)
    return { ...candidate, reader }
  })
  return detectingFormat(await Promise.all(opened))
}
