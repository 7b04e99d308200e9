import { openAvro } from './avro.ts'
import type { Format, FormatOptions } from './format.ts'
import { jsonFormat } from './json.ts'
import type { FormatSettings } from './settings.ts'

/** Every format by its name in the configuration. Adding one is a file and a line here. */
export const FORMATS: Readonly<
  Record<string, (options: FormatOptions, settings: FormatSettings) => Format | Promise<Format>>
> = {
  json: jsonFormat,
  avro: (_, { avro }) => openAvro(avro),
}
