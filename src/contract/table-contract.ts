import type { StructType } from '../core/schema.ts'
import type { Contract } from './contract.ts'

/**
 * Returns the contract of a topic that has no contract of its own: the columns of its table. It validates nothing
 * itself; a value that does not fit its column is refused when the columns are built. Properties without a column are
 * left out.
 */
export function contractOfTable(schema: StructType, source = 'table'): Contract {
  return {
    source,
    schema,
    check: () => undefined,
    plain: {
      fields: schema.fields.map(({ name, type }) => ({ name, type, required: false, nullable: true })),
      additionalProperties: true,
    },
  }
}
