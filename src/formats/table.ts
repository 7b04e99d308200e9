import type { Format, FormatOptions } from './format.ts'
import { jsonFormat } from './json.ts'

/** Every format by its name in the configuration. Adding one is a file and a line here. */
export const FORMATS: Readonly<Record<string, (options: FormatOptions) => Format>> = {
  json: jsonFormat,
}
