import type { Row } from '../arrow/rows.ts'
import type { Contract } from '../contract/contract.ts'
import type { Changing } from '../core/changing.ts'
import type { Format, FormatOptions } from '../formats/format.ts'
import { jsonFormat } from '../formats/json/format.ts'
import { contractOf, type ContractOf } from '../rows/schema-contract.ts'
import type { RowSchema } from '../rows/row-types.ts'

/** Describes the values of a topic: how they are decoded, and which rows they become. */
export interface TopicFormat<T extends object = Row> {
  readonly name: string
  /** The contract of the messages; its schema has the columns of the table that is created for them. */
  readonly contract: Contract
  /** Opens the format for columns that may change with the table. */
  open(options: FormatOptions | Changing<FormatOptions>): Format | Promise<Format>
  /** Exists for the compiler alone; it is never set. */
  readonly rowType?: T | undefined
}

/** Returns the format of topics whose values are JSON objects. */
export function json<T extends object = Row>(
  schema: RowSchema<T, object> | ContractOf<T, object> | Contract,
): TopicFormat<T> {
  return { name: 'json', contract: contractOf(schema), open: jsonFormat }
}
