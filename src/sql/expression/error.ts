/**
 * Says which piece of an expression cannot be read or evaluated, or why it has no value for a row. Whoever knows the
 * table or the record catches it and says where: it never leaves an operator or the opening of a table.
 */
export class SqlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SqlError'
  }
}
