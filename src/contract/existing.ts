import type { StructType } from '../core/schema.ts'
import type { Contract } from './contract.ts'

/**
 * The contract of a topic that has none: the columns of the table it goes to. It checks nothing itself; whether a value
 * fits its column shows when the columns are built. Properties without a column are left out.
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
