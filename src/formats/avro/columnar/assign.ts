import type { StructField } from '../../../core/schema.ts'

/**
 * Returns the index of the column that each key fills, undefined where none does: the one of its name, otherwise, with
 * `ignoresCase`, one that differs in case only, unless another key has the name itself or came before.
 */
export function assignColumns(
  keys: readonly string[],
  fields: readonly StructField[],
  ignoresCase: boolean,
): readonly (number | undefined)[] {
  const byName = new Map(fields.map(({ name }, i) => [name, i]))
  const byFoldedName = new Map(fields.map(({ name }, i) => [name.toLowerCase(), i]))
  const taken = new Set(keys.flatMap((key) => byName.get(key) ?? []))
  return keys.map((key) => {
    const exact = byName.get(key)
    if (exact !== undefined || !ignoresCase) return exact
    const similar = byFoldedName.get(key.toLowerCase())
    if (similar === undefined || taken.has(similar)) return undefined
    taken.add(similar)
    return similar
  })
}
