import { type Clock, systemClock } from '../../core/clock.ts'
import { valueAt } from '../../arrow/values.ts'
import { createValueBuilder } from '../../sql/expression/columns.ts'
import { compileExpressionAs } from '../../sql/compile.ts'
import type { Metadata } from '../protocol/actions.ts'
import { defaultColumnsOf } from './constraints.ts'

/** A `DefaultValue` returns the value of a field that a message lacks, in the form that column builders accept. */
type DefaultValue = () => unknown

/**
 * Returns the values of columns that a message lacks, by the exact names of the columns with a default; an explicit
 * null stays null. A default that depends on the time is evaluated when the row is made: it is the only value that
 * differs when a record is read again. Spec: "Default Columns".
 * @throws SqlError for a default that cannot be evaluated; such a table is refused when it is opened
 */
export function defaultValuesOf(
  metadata: Pick<Metadata, 'schema'>,
  clock: Clock = systemClock,
): ReadonlyMap<string, DefaultValue> {
  return new Map(
    defaultColumnsOf(metadata).map(({ field, expression }) => {
      const { type, name } = field
      const { term, usesClock } = compileExpressionAs(expression, type, {
        type: 'struct',
        fields: [],
      })
      const columns = { schema: { type: 'struct', fields: [] }, length: 1, columns: [] } as const
      const value = (): unknown => {
        // Nested types have no default except null.
        if (typeof type !== 'string') return null
        const builder = createValueBuilder(type)
        builder.append(term.bind({ columns, nowMs: clock.now() })(0))
        return valueAt(builder.finish(), 0)
      }
      if (usesClock) return [name, value]
      const fixed = value()
      return [name, () => fixed]
    }),
  )
}
