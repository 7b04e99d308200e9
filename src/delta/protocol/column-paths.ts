/** The property that names the columns of which files have statistics; it goes before the one that counts them. */
export const STATS_COLUMNS_PROPERTY = 'delta.dataSkippingStatsColumns'

/** Names that one property may list. */
const NAMES_MAX = 10_000

/**
 * Columns listed as SQL lists them: separated by commas, fields of structs after points, names with marks in them in
 * backquotes, which are doubled within. `undefined` where the text is no such list.
 */
export function columnPaths(text: string): readonly (readonly string[])[] | undefined {
  if (text.trim() === '') return []
  const paths: string[][] = [[]]
  const token = /\s*(?:`((?:[^`]|``)+)`|([^`.,\s](?:[^`.,]*[^`.,\s])?))\s*([.,]|$)/y
  while (token.lastIndex < text.length) {
    const match = token.exec(text)
    if (match === null || paths.length > NAMES_MAX) return undefined
    const [, quoted, plain, end] = match
    paths.at(-1)?.push(quoted?.replaceAll('``', '`') ?? plain ?? '')
    if (end === '' || end === undefined) return paths
    if (end === ',') paths.push([])
  }
  return undefined
}
