type Values = readonly ((input: unknown) => unknown)[]

/**
 * Returns a function that returns an object with the fields `names`; field `i` has the value `values[i](input)`. Code made
 * for these names is several times as fast as a loop over them: the engine knows the shape of the objects.
 */
export function objectMakerOf<A>(
  names: readonly string[],
  values: readonly ((input: A) => unknown)[],
): (input: A) => Record<string, unknown> {
  const fields = names.map((name, i) => `${JSON.stringify(name)}: f${i}(input)`)
  const body = `return (input) => ({ ${fields.join(', ')} })`
  const make = functionOf(parametersOf('f', names), body)
  return make === undefined
    ? loopingMakerOf(names, values as Values)
    : (make(values) as (input: A) => Record<string, unknown>)
}

/** Describes how the fields of an object are converted; the arrays have one element for each field. */
export interface FieldConversions {
  readonly names: readonly string[]
  /** Called for values that are neither null nor undefined. */
  readonly conversions: Values
  /** The outcomes for null and undefined. */
  readonly absent: readonly unknown[]
  /** The outcome of a field that becomes the outcome of the object. */
  readonly unknown: symbol
}

/** Returns a function that converts the fields of an object to a new object, or returns `unknown` if a field does. */
export function objectConverterOf(fields: FieldConversions): (value: object) => unknown {
  const { names, conversions, absent, unknown } = fields
  const lines = names.map((name, i) => {
    const value = `const i${i} = value[${JSON.stringify(name)}]`
    const converted = `const v${i} = i${i} === null || i${i} === undefined ? a${i} : c${i}(i${i})`
    return `${value}; ${converted}; if (v${i} === unknown) return unknown;`
  })
  const object = names.map((name, i) => `${JSON.stringify(name)}: v${i}`).join(', ')
  const make = functionOf(
    [...parametersOf('c', names), ...parametersOf('a', names), 'unknown'],
    `return (value) => { ${lines.join(' ')} return { ${object} } }`,
  )
  return make === undefined
    ? loopingConverterOf(fields)
    : (make([...conversions, ...absent, unknown]) as (value: object) => unknown)
}

function parametersOf(letter: string, names: readonly string[]): string[] {
  return names.map((_, i) => `${letter}${i}`)
}

/** Returns a function that calls code with the values of its parameters; `undefined` where code from text is forbidden. */
function functionOf(
  parameters: readonly string[],
  body: string,
): ((values: readonly unknown[]) => unknown) | undefined {
  try {
    // Field names are the only text that is not ours, and JSON text is a string literal of the language.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const made = new Function(...parameters, `'use strict'; ${body}`) as (
      ...values: readonly unknown[]
    ) => unknown
    return (values) => made(...values)
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

function templateOf(names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, null]))
}

function loopingMakerOf(
  names: readonly string[],
  values: Values,
): (input: unknown) => Record<string, unknown> {
  const template = templateOf(names)
  return (input) => {
    // A copy has all fields in their order, and assignment to an existing field is fast.
    const object = { ...template }
    for (let i = 0; i < names.length; i++) object[names[i] as string] = values[i]?.(input)
    return object
  }
}

function loopingConverterOf({
  names,
  conversions,
  absent,
  unknown,
}: FieldConversions): (value: object) => unknown {
  const template = templateOf(names)
  return (value) => {
    const object = { ...template }
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      const inner = (value as Record<string, unknown>)[name]
      const converted = inner === null || inner === undefined ? absent[i] : conversions[i]?.(inner)
      if (converted === unknown) return unknown
      object[name] = converted
    }
    return object
  }
}
