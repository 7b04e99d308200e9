import type { StructType } from '../../../core/schema.ts'
import type { ProtoField, ProtoMessage } from '../schema.ts'

/**
 * Returns the position of the column that each field fills; fields without a column are absent. With `renames`, a field whose
 * name differs from a column only in case fills it, unless the message has a field with the exact name: the first such field
 * counts. Returns `undefined` when the columns themselves have such names.
 */
export function columnPositionsOf(
  { fields }: ProtoMessage,
  columns: StructType,
  renames: boolean,
): ReadonlyMap<ProtoField, number> | undefined {
  const exact = new Map(columns.fields.map(({ name }, index) => [name, index]))
  const folded = new Map(columns.fields.map(({ name }, index) => [name.toLowerCase(), index]))
  if (folded.size !== columns.fields.length) return undefined
  const taken = new Set(fields.flatMap(({ name }) => exact.get(name) ?? []))
  const positions = new Map<ProtoField, number>()
  for (const field of fields) {
    const own = exact.get(field.name)
    const position = own ?? (renames ? folded.get(field.name.toLowerCase()) : undefined)
    if (position === undefined || (own === undefined && taken.has(position))) continue
    taken.add(position)
    positions.set(field, position)
  }
  return positions
}
