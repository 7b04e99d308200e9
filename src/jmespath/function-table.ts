/**
 * A function of an expression takes JSON-like values, with numbers in any form, and returns one. An error that it
 * throws fails the expression.
 */
export type ExpressionFunction = (args: readonly unknown[]) => unknown

/** Maps names to functions. */
export type FunctionTable = ReadonlyMap<string, ExpressionFunction>
