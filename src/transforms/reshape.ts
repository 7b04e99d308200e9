import { Exact } from '../core/exact.ts'
import { valueAt } from '../jmespath/expression.ts'

type Fields = Record<string, unknown>

/** Where results of transforms go: names, with a number of a result at each end. */
export interface Places {
  readonly fields: ReadonlyMap<string, Places | number>
}

/** The places of paths, numbered in their order. Throws where one path goes on where another ends. */
export function placesOf(paths: readonly (readonly string[])[]): Places {
  const root = new Map<string, Places | number>()
  for (const [number, path] of paths.entries()) {
    let at = root
    for (const [depth, name] of path.entries()) {
      const there = at.get(name)
      if (depth === path.length - 1) {
        if (there !== undefined) throw new Error(`${path.join('.')} is the place of another as well`)
        at.set(name, number)
      } else {
        if (typeof there === 'number') throw new Error(`${path.join('.')} lies below another`)
        const next = (there?.fields ?? new Map()) as Map<string, Places | number>
        if (there === undefined) at.set(name, { fields: next })
        at = next
      }
    }
  }
  return { fields: root }
}

/**
 * The message with results at their places; objects are made on the way, also where something else stands. A null takes
 * the place of what is there and makes nothing new. Nothing of `message` is changed: results may be parts of it.
 */
export function withResults(message: object, places: Places, results: readonly unknown[]): object {
  return placed(message, places, results) ?? message
}

function placed(value: unknown, { fields }: Places, results: readonly unknown[]): Fields | undefined {
  let copy: Fields | undefined = isObject(value) ? { ...(value as Fields) } : undefined
  for (const [name, place] of fields) {
    const there = copy !== undefined && Object.hasOwn(copy, name) ? copy[name] : undefined
    const result = typeof place === 'number' ? results[place] : placed(there, place, results)
    if (result === undefined || (result === null && there === undefined)) continue
    copy ??= {}
    copy[name] = result
  }
  return copy
}

/** The message without the field at a path; objects that are empty without it go too. */
export function without(message: object, path: readonly string[]): object {
  return removed(message, path, 0) ?? {}
}

function removed(value: object, path: readonly string[], depth: number): object | undefined {
  const name = path[depth] as string
  if (!Object.hasOwn(value, name)) return value
  const copy: Fields = { ...(value as Fields) }
  const inner = copy[name]
  if (depth === path.length - 1) Reflect.deleteProperty(copy, name)
  else {
    if (!isObject(inner)) return value
    const rest = removed(inner, path, depth + 1)
    if (rest === inner) return value
    if (rest === undefined) Reflect.deleteProperty(copy, name)
    else copy[name] = rest
  }
  return Object.keys(copy).length === 0 ? undefined : copy
}

/** The message with the field at `from` at `to` instead; as it is where there is none. */
export function renamed(message: object, from: readonly string[], to: Places): object {
  if (!hasPath(message, from)) return message
  return withResults(without(message, from), to, [valueAt(message, from)])
}

function hasPath(value: unknown, path: readonly string[]): boolean {
  let found = value
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return false
    found = (found as Fields)[name]
  }
  return true
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Exact)
}
