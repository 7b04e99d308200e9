import { type Clock, systemClock } from '../../core/clock.ts'
import { valueAt } from '../../arrow/values.ts'
import { valueBuilder } from '../../sql/expression/columns.ts'
import { compileAs } from '../../sql/compile.ts'
import type { Metadata } from '../protocol/actions.ts'
import { defaultColumns } from './constraints.ts'

/** Gives the value of a field that a message does not have, as a builder of columns takes it. */
export type Absent = () => unknown

/**
 * What the columns of a table are where a message does not have them at all, by the exact names of those that have a
 * default; a null that a message states stays null. A default that asks for the time gets that at which the row is made: the
 * one value that is not the same when a record is read again. Spec: "Default Columns".
 * @throws SqlError for a default that cannot be evaluated, which is refused when the table is opened
 */
export function absentValues(
  metadata: Pick<Metadata, 'schema'>,
  clock: Clock = systemClock,
): ReadonlyMap<string, Absent> {
  return new Map(
    defaultColumns(metadata).map(({ field, expression }) => {
      const { type, name } = field
      const { term, asksTime } = compileAs(expression, type, { type: 'struct', fields: [] })
      const columns = { schema: { type: 'struct', fields: [] }, length: 1, columns: [] } as const
      const value = (): unknown => {
        // Of nested types there is no default but null.
        if (typeof type !== 'string') return null
        const builder = valueBuilder(type)
        builder.append(term.bind({ columns, nowMs: clock.now() })(0))
        return valueAt(builder.finish(), 0)
      }
      if (asksTime) return [name, value]
      const fixed = value()
      return [name, () => fixed]
    }),
  )
}
