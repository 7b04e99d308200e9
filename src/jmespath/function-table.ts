/**
 * A function of an expression takes JSON-like values, with numbers in any form, and returns one. An error that it
 * throws fails the expression. `context` is the value that the expression was evaluated with.
 */
export type ExpressionFunction<Context = unknown> = (args: readonly unknown[], context: Context) => unknown

/** Maps names to functions. */
export type FunctionTable<Context> = ReadonlyMap<string, ExpressionFunction<Context>>
