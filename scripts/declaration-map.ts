import { dirname, relative, resolve } from 'node:path'

/**
 * Returns the source map at `path` of a declaration, pointing to the copies of its sources below `copies`, and these sources:
 * paths relative to the root of the project. An editor then goes from a name to its source, not to its declaration.
 */
export function relocateDeclarationMap(
  map: string,
  path: string,
  copies: string,
): { readonly map: string; readonly sources: readonly string[] } {
  const parsed = JSON.parse(map) as { readonly sources: readonly string[] }
  const folder = resolve(dirname(path))
  const sources = parsed.sources.map((source) => relative('.', resolve(folder, source)))
  const moved = sources.map((source) => relative(folder, resolve(copies, source)))
  return { map: JSON.stringify({ ...parsed, sources: moved }), sources }
}
