import type { Changing } from '../../core/changing.ts'
import { openAvro } from '../avro/format.ts'
import { csvFormat } from '../text/csv.ts'
import type { Format, FormatOptions } from '../format.ts'
import { jsonFormat } from '../json/format.ts'
import { jsonLinesFormat } from '../json/lines.ts'
import { bytesFormat, textFormat } from '../text/plain.ts'
import { withoutSchemaIds } from '../framing/registry-framing.ts'
import { openProtobuf } from '../protobuf/format.ts'
import type { FormatSettings } from '../settings.ts'

/** Maps the name of each format in the configuration to its factory. A new format needs a file and a line here. */
export const FORMAT_FACTORIES: Readonly<
  Record<
    string,
    (options: FormatOptions | Changing<FormatOptions>, settings: FormatSettings) => Format | Promise<Format>
  >
> = {
  json: (options, { framing }) =>
    framing === 'registry' ? withoutSchemaIds(jsonFormat(options)) : jsonFormat(options),
  jsonl: (options, { framing, recordsPerMessageMax }) =>
    framing === 'registry'
      ? withoutSchemaIds(jsonLinesFormat(options, recordsPerMessageMax))
      : jsonLinesFormat(options, recordsPerMessageMax),
  avro: (_, settings) => openAvro(settings),
  protobuf: (_, settings) => openProtobuf(settings),
  csv: (options, { csv }) => csvFormat(options, csv),
  text: textFormat,
  bytes: bytesFormat,
}
