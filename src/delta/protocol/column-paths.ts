import { parseJson } from './action-json.ts'
import { asObject, asStrings } from './fields.ts'

/**
 * Names the table property that lists the columns with statistics. It takes precedence over the property that counts
 * them.
 */
export const STATS_COLUMNS_PROPERTY = 'delta.dataSkippingStatsColumns'

/** Maximum of names that one property may list. */
const NAMES_MAX = 10_000

/**
 * Parses a list of columns in SQL notation: separated by commas, struct fields after dots, names with special
 * characters in backquotes, backquotes doubled. Returns `undefined` if the text is not such a list.
 */
export function parseColumnPaths(text: string): readonly (readonly string[])[] | undefined {
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

/**
 * Parses the clustering columns in the domain `delta.clustering`: each is a path of physical names, or a single name,
 * and `undefined` if it is neither. Returns `undefined` if the domain has no list of columns. Spec: "Clustered Table".
 */
export function parseClusteringPaths(
  configuration: string,
): readonly (readonly string[] | undefined)[] | undefined {
  let columns: unknown
  try {
    columns = asObject(parseJson(configuration))?.['clusteringColumns']
  } catch {
    return undefined
  }
  if (!Array.isArray(columns)) return undefined
  return columns.map((column: unknown) => (typeof column === 'string' ? [column] : asStrings(column)))
}
