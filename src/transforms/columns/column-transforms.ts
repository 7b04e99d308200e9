import type { Raw } from '../../core/raw.ts'
import type { StructType } from '../../core/schema.ts'
import type { Decoded, FormatOptions, ObjectReason } from '../../formats/format.ts'
import type { SourceColumns } from '../../formats/sources.ts'
import { sourceMessageOf } from '../../formats/json/source-message.ts'
import { columnsTaken } from '../columns.ts'
import type { Transformation } from '../transformation.ts'
import { ColumnProgram, ProgramFaults, type TransformedRows } from './column-program.ts'
import { messageColumnsOf } from './message-columns.ts'

/** Columns of rows, and the values of those that a row lacks. */
export type TransformInput = Pick<FormatOptions, 'schema' | 'absentValues' | 'unknownFields'>

/** Holds what follows from one schema of rows. */
export interface CompiledColumns {
  readonly messages: StructType
  readonly program: ColumnProgram | undefined
  readonly reasons: readonly ObjectReason[]
}

/** Applies the transforms of a topic to messages in columns, for the columns of rows as they are at each time. */
export class ColumnTransforms {
  readonly #transformation: Transformation
  readonly #contract: StructType | undefined
  readonly #compiled = new WeakMap<StructType, CompiledColumns>()

  /** Creates the transforms for messages of a contract; without one the columns of rows define those of messages. */
  constructor(transformation: Transformation, contract: StructType | undefined) {
    this.#transformation = transformation
    this.#contract = contract
  }

  /** Returns the columns and the sources that messages must be decoded into, or the reasons why objects are needed. */
  inputFor(rows: TransformInput): CompiledColumns {
    const { schema } = rows
    let compiled = this.#compiled.get(schema)
    if (compiled === undefined) this.#compiled.set(schema, (compiled = this.#compile(rows)))
    return compiled
  }

  #compile(rows: TransformInput): CompiledColumns {
    const messages = messageColumnsOf(this.#contract, columnsTaken(rows.schema, this.#transformation))
    try {
      const program = new ColumnProgram(this.#transformation, rows, messages)
      return { messages, program, reasons: [] }
    } catch (error) {
      if (!(error instanceof ProgramFaults)) throw error
      return { messages, program: undefined, reasons: error.reasons }
    }
  }

  /**
   * Transforms the rows of a batch that are in columns. Messages that only objects can decide, and all of them when the
   * columns have changed since they were decoded, are `remaining`.
   */
  transform(decoded: Decoded, rows: TransformInput): TransformedRows | undefined {
    const { raw, validated, sources } = decoded
    if (validated === undefined || sources === undefined) return undefined
    const { program, messages } = this.inputFor(rows)
    const { columns, records } = validated
    if (program === undefined || !hasColumns(columns.schema, messages)) return undefined
    const made = program.run(raw, { columns, records, sources })
    this.#watch(program, raw, sources, made)
    return made
  }

  /** Notes which paths have matched a field. The first messages are transformed as objects too, to find the others. */
  #watch(program: ColumnProgram, raw: Raw, sources: SourceColumns, { rows, records }: TransformedRows): void {
    const { paths } = this.#transformation
    for (let i = 0; i < rows.length && paths.needsMessages; i++)
      this.#transformation.apply(sourceMessageOf(sources, rows[i] as number), raw, records[i] as number)
    for (const index of program.matchedPaths(sources)) if (paths.awaitsMatch(index)) paths.matched(index)
  }
}

/** Returns true when columns are those of messages; threads give equal schemas that are not the same object. */
function hasColumns(given: StructType, messages: StructType): boolean {
  return given === messages || JSON.stringify(given) === JSON.stringify(messages)
}
