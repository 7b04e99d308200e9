import type { StructBuilder } from '../../src/arrow/builder.ts'
import type { Columns } from '../../src/arrow/column.ts'
import { absenceOf, type RowNormaliser } from '../../src/arrow/objects/row-normaliser.ts'
import { rowReaderOf } from '../../src/arrow/objects/row-reader.ts'
import { takeRows, type Row, type Rows } from '../../src/arrow/rows.ts'
import { invariant, type DeadLetter } from '../../src/core/batch.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { StructType } from '../../src/core/schema.ts'

/** Holds what the rows of a batch have beside columns, records and dead letters. */
export type RowsRest = Omit<Rows, 'columns' | 'records' | 'deadLetters'>

/**
 * Gives the rows of one batch to a row operator as objects. Rows that a row operator has made are objects already: they
 * become columns, and those that do not fit become dead letters, when somebody first asks for them. A row operator that
 * follows asks for the objects instead, so that operators in a row build columns once and not one after the other.
 */
export interface RowSource {
  readonly rest: RowsRest
  /** The columns of the rows. */
  readonly schema: StructType
  /** Rows, including those that turn out not to fit. */
  readonly length: number
  /** Dead letters so far: those of rows that turn out not to fit come after them. */
  readonly letters: readonly DeadLetter[]
  /** Returns the record of row `i`. */
  recordAt(i: number): number
  /** Returns row `i` as an object that nothing else holds, as it would be read from its columns, or why it does not fit them. */
  ownRowAt(i: number): Row | string
  /** Returns a copy of a row that `ownRowAt` returned if `select` needs the row unchanged, and otherwise the row itself. */
  copy(row: Row): Row
  /** True if `select` needs the rows as objects. */
  readonly keepsObjects: boolean
  /** Returns the source of some of the rows. */
  select(kept: KeptRows, letters: readonly DeadLetter[]): LazySource
}

/** Adds what is made when it is first asked for. */
export interface LazySource extends RowSource {
  columns(): Columns
  records(): Int32Array
  deadLetters(): readonly DeadLetter[]
}

/** The sources of rows that row operators have made; other rows have only columns. */
const SOURCES = new WeakMap<Rows, LazySource>()

/** Returns the source of the rows of a batch. */
export function rowSourceOf(rows: Rows): RowSource {
  const source = SOURCES.get(rows)
  if (source !== undefined) return source
  const { columns, records, deadLetters, ...rest } = rows
  return new SelectedRows(rest, columns, records, deadLetters)
}

/** Returns the number of rows and dead letters of a batch; rows that a row operator has made stay objects. */
export function rowsAndLettersOf(rows: Rows): number {
  const source = SOURCES.get(rows)
  if (source === undefined) return rows.columns.length + rows.deadLetters.length
  return source.length + source.letters.length
}

/** Objects that a row operator has made, each of the record at the same index. */
export interface MadeRows {
  readonly objects: readonly unknown[]
  readonly records: readonly number[]
  /** True if `RowNormaliser` has returned the objects. */
  readonly areChecked: boolean
}

/** Returns rows of objects, which become columns when somebody asks for them. */
export function rowsOfObjects(
  rest: RowsRest,
  normaliser: RowNormaliser,
  made: MadeRows,
  letters: readonly DeadLetter[],
): Rows {
  return lazyRowsOf(new ObjectRows(rest, normaliser, made, letters))
}

/** Names the rows of a source that stay. */
export interface KeptRows {
  /** Their indices, ascending. */
  readonly kept: readonly number[]
  /** Returns the same rows as objects that nobody else holds; only for sources whose `keepsObjects` is true. */
  readonly objects: readonly Row[]
  /** Number of rows that were left out by intent. */
  readonly filtered: number
}

/** Returns some rows of a source, unchanged. */
export function selectedRows(source: RowSource, kept: KeptRows, letters: readonly DeadLetter[]): Rows {
  return lazyRowsOf(source.select(kept, letters))
}

/** Returns an object with the fields of `Rows`, of which three are made when they are first read, also by a spread. */
function lazyRowsOf(source: LazySource): Rows {
  const rows: Rows = {
    ...source.rest,
    get columns() {
      return source.columns()
    },
    get records() {
      return source.records()
    },
    get deadLetters() {
      return source.deadLetters()
    },
  }
  SOURCES.set(rows, source)
  return rows
}

/** Rows of columns, or some of them. */
class SelectedRows implements LazySource {
  readonly keepsObjects = false
  readonly rest: RowsRest
  readonly letters: readonly DeadLetter[]
  readonly #columns: Columns
  readonly #records: Int32Array
  readonly #rows: Int32Array | undefined
  #read: ((row: number) => Row) | undefined
  #taken: { readonly columns: Columns; readonly records: Int32Array } | undefined

  constructor(
    rest: RowsRest,
    columns: Columns,
    records: Int32Array,
    letters: readonly DeadLetter[],
    rows?: Int32Array,
  ) {
    this.rest = rest
    this.letters = letters
    this.#columns = columns
    this.#records = records
    this.#rows = rows
  }

  get schema(): StructType {
    return this.#columns.schema
  }

  get length(): number {
    return this.#rows?.length ?? this.#columns.length
  }

  recordAt(i: number): number {
    return this.#records[this.#rowAt(i)] as number
  }

  ownRowAt(i: number): Row {
    this.#read ??= rowReaderOf(this.#columns)
    return this.#read(this.#rowAt(i))
  }

  columns(): Columns {
    return this.#take().columns
  }

  records(): Int32Array {
    return this.#take().records
  }

  deadLetters(): readonly DeadLetter[] {
    return this.letters
  }

  copy(row: Row): Row {
    return row
  }

  select({ kept, filtered }: KeptRows, letters: readonly DeadLetter[]): SelectedRows {
    const rows = Int32Array.from(kept, (i) => this.#rowAt(i))
    const rest = { ...this.rest, filtered: this.rest.filtered + filtered }
    return new SelectedRows(rest, this.#columns, this.#records, letters, rows)
  }

  #rowAt(i: number): number {
    return this.#rows === undefined ? i : (this.#rows[i] as number)
  }

  #take(): { readonly columns: Columns; readonly records: Int32Array } {
    if (this.#rows === undefined) return { columns: this.#columns, records: this.#records }
    this.#taken ??= {
      columns: takeRows(this.#columns, this.#rows),
      records: this.#rows.map((row) => this.#records[row] as number),
    }
    return this.#taken
  }
}

/** Rows that are objects until somebody asks for their columns. */
class ObjectRows implements LazySource {
  readonly rest: RowsRest
  readonly normaliser: RowNormaliser
  #made: MadeRows
  #letters: readonly DeadLetter[]
  #built: SelectedRows | undefined

  constructor(rest: RowsRest, normaliser: RowNormaliser, made: MadeRows, letters: readonly DeadLetter[]) {
    this.rest = rest
    this.normaliser = normaliser
    this.#made = made
    this.#letters = letters
  }

  get schema(): StructType {
    return this.normaliser.schema
  }

  get length(): number {
    return this.#made.records.length
  }

  get letters(): readonly DeadLetter[] {
    return this.#letters
  }

  recordAt(i: number): number {
    return this.#made.records[i] as number
  }

  ownRowAt(i: number): Row | string {
    if (this.#built !== undefined) return this.#built.ownRowAt(i)
    const object = this.#made.objects[i]
    return this.#made.areChecked ? this.normaliser.copy(object as Row) : this.#normalised(object)
  }

  columns(): Columns {
    return this.#build().columns()
  }

  records(): Int32Array {
    this.#check()
    return this.#built?.records() ?? Int32Array.from(this.#made.records)
  }

  deadLetters(): readonly DeadLetter[] {
    this.#check()
    return this.#letters
  }

  get keepsObjects(): boolean {
    return this.#built === undefined
  }

  copy(row: Row): Row {
    return this.normaliser.copy(row)
  }

  select(kept: KeptRows, letters: readonly DeadLetter[]): LazySource {
    if (this.#built !== undefined) return this.#built.select(kept, letters)
    const { objects, filtered } = kept
    const rest = { ...this.rest, filtered: this.rest.filtered + filtered }
    const records = kept.kept.map((i) => this.recordAt(i))
    return new ObjectRows(rest, this.normaliser, { objects, records, areChecked: true }, letters)
  }

  #check(): void {
    if (!this.#made.areChecked) this.#keepFitting((object) => this.#normalised(object))
  }

  #build(): SelectedRows {
    if (this.#built !== undefined) return this.#built
    const builder = this.normaliser.columnBuilder()
    if (!this.#made.areChecked) this.#keepFitting((object) => appended(builder, object))
    else
      for (const object of this.#made.objects) {
        const fault = builder.append(object)
        invariant(fault === undefined, `a row that was read from columns does not fit them: ${fault ?? ''}`)
      }
    const { records } = this.#made
    this.#built = new SelectedRows(
      this.rest,
      builder.finishColumns(),
      Int32Array.from(records),
      this.#letters,
    )
    // The objects are read from the columns, should somebody ask for them again.
    this.#made = { objects: [], records, areChecked: true }
    return this.#built
  }

  /** Replaces the objects by what `check` returns for them; those for which it returns a fault become dead letters. */
  #keepFitting(check: (object: unknown) => Row | string): void {
    const objects: Row[] = []
    const records: number[] = []
    const letters = [...this.#letters]
    for (const [i, object] of this.#made.objects.entries()) {
      const record = this.recordAt(i)
      const row = check(object)
      if (typeof row === 'string') letters.push(deadLetterOf(this.rest.raw, record, 'type', row))
      else {
        objects.push(row)
        records.push(record)
      }
    }
    this.#made = { objects, records, areChecked: true }
    this.#letters = letters
  }

  #normalised(object: unknown): Row | string {
    try {
      return this.normaliser.normalise(object)
    } catch (thrown) {
      return messageOf(thrown)
    }
  }
}

/** Appends an object to the columns; returns it, or the fault if it does not fit. */
function appended(builder: StructBuilder, object: unknown): Row | string {
  const { length } = builder
  let fault: string | undefined
  try {
    fault = absenceOf(object) ?? builder.append(object)
  } catch (thrown) {
    // Reading a field of the object threw.
    fault = messageOf(thrown)
  }
  if (fault === undefined) return object as Row
  builder.truncate(length)
  return fault
}
