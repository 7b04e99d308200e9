import type { Changing } from '../../core/changing.ts'
import type { Format, FormatOptions } from '../../formats/format.ts'
import type { ExtensionFormat } from './extensions.ts'

/** Opens the format of a user for the columns of `options`. */
export async function openExtensionFormat(
  extension: ExtensionFormat,
  options: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  return await extension.open(options)
}
