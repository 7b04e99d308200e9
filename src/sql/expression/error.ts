/**
 * Reports which part of an expression cannot be parsed or evaluated, or why it has no value for a row. It is
 * always caught and reported with the table or the record; it never leaves an operator or the opening of a
 * table.
 */
export class SqlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SqlError'
  }
}
