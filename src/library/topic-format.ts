import type { Row } from '../arrow/rows.ts'
import type { Contract } from '../contract/contract.ts'
import type { Changing } from '../core/changing.ts'
import type { Format, FormatOptions } from '../formats/format.ts'
import type { FormatChoice } from '../formats/settings.ts'
import { contractOf, type ContractOf } from '../rows/schema-contract.ts'
import type { RowSchema } from '../rows/row-types.ts'

/** Describes the values of a topic: how they are decoded, and which rows they become. */
export interface TopicFormat<T extends object = Row> {
  readonly name: string
  /** The contract of the messages; its schema has the columns of the table that is created for them. */
  readonly contract: Contract
  /** Opens the format for columns that may change with the table. */
  open(options: FormatOptions | Changing<FormatOptions>): Format | Promise<Format>
  /** The settings with which `openFormat` opens the same format; absent for formats that a program brings itself. */
  readonly choice?: FormatChoice
  /** Exists for the compiler alone; it is never set. */
  readonly rowType?: T | undefined
}

/** Names what says which rows a topic has: a schema as code, or a contract. */
export type TopicSchema<T extends object = Row> = RowSchema<T, object> | ContractOf<T, object> | Contract

/**
 * Returns a topic format that a program brings itself: `format` opens it for the columns that follow the table, and makes
 * rows with the columns of `schema`.
 */
export function customFormat<T extends object = Row>(
  format: (options: FormatOptions | Changing<FormatOptions>) => Format | Promise<Format>,
  schema: TopicSchema<T>,
  name = 'custom',
): TopicFormat<T> {
  return { name, contract: contractOf(schema), open: format }
}
