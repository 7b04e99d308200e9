/** A function of an expression: its arguments as JSON-like values, numbers in any form. What it throws is the expression's fault. */
export type ExpressionFunction = (args: readonly unknown[]) => unknown

/** Functions by their names. */
export type FunctionTable = ReadonlyMap<string, ExpressionFunction>
