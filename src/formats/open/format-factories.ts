import type { Changing } from '../../core/changing.ts'
import { openAvro } from '../avro/format.ts'
import { registryOf } from '../framing/registry-framing.ts'
import type { Format, FormatOptions } from '../format.ts'
import { jsonFormat } from '../json/format.ts'
import { jsonLinesFormat } from '../json/lines.ts'
import { bytesFormat, textFormat } from '../text/plain.ts'
import { registeredJsonFormat } from '../json/registry-json.ts'
import type { FormatSettings } from '../settings.ts'

/** Maps the name of each format in the configuration to its factory. A new format needs a file and a line here. */
export const FORMAT_FACTORIES: Readonly<
  Record<
    string,
    (options: FormatOptions | Changing<FormatOptions>, settings: FormatSettings) => Format | Promise<Format>
  >
> = {
  json: (options, settings) => jsonOf(jsonFormat, options, settings),
  jsonl: (options, settings) =>
    jsonOf((current) => jsonLinesFormat(current, settings.recordsPerMessageMax), options, settings),
  avro: (options, settings) => openAvro(settings, options),
  // Their parsers take a tenth of a second to load, which most programs do without.
  protobuf: async (options, settings) =>
    (await import('../protobuf/format.ts')).openProtobuf(settings, options),
  csv: async (options, { csv }) => (await import('../text/csv.ts')).csvFormat(options, csv),
  text: textFormat,
  bytes: bytesFormat,
}

type Options = FormatOptions | Changing<FormatOptions>

function jsonOf(open: (options: Options) => Format, options: Options, settings: FormatSettings): Format {
  if (settings.framing !== 'registry') return open(options)
  return registeredJsonFormat(open, options, registryOf(settings))
}
