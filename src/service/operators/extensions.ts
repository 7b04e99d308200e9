import { ROW_SCHEMA, type RowOperator } from '../../../operators/rows/row-operator.ts'
import type { Contract } from '../../contract/contract.ts'
import type { Changing } from '../../core/changing.ts'
import type { StructField } from '../../core/schema.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import type { Format, FormatOptions } from '../../formats/format.ts'

/** Decodes the records of a topic in place of the format of its configuration. */
export interface ExtensionFormat {
  readonly name: string
  /** The contract of the messages; a contract of the configuration takes precedence. */
  readonly contract: Contract
  /** Opens the format for the columns that follow the table. */
  open(options: FormatOptions | Changing<FormatOptions>): Format | Promise<Format>
}

/** Holds the code of a user that runs within the pipeline of one topic. */
export interface TopicExtensions {
  readonly format?: ExtensionFormat | undefined
  /** Operators on validated rows, in order, before the enrichments. */
  readonly rows?: readonly RowOperator<never, object>[] | undefined
  /** Run after the enrichments of the configuration. */
  readonly enrichments?: readonly Enrichment[] | undefined
  /** Releases what the code holds; called once, when the topic is closed or could not be opened. */
  readonly close?: (() => unknown) | undefined
}

/** Returns the columns that the enrichments of a user add to rows. */
export function extensionColumnsOf({ enrichments = [] }: TopicExtensions): readonly StructField[] {
  return enrichments.flatMap(({ fields }) => fields)
}

/** Returns true when an operator of a user states the columns of its rows, which may differ from those of the messages. */
export function statesColumns({ rows = [] }: TopicExtensions): boolean {
  return rows.some((operator) => operator[ROW_SCHEMA] !== undefined)
}
