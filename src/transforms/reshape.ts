import { formatPath } from '../../config/transforms/path.ts'
import { isMessageObject } from '../core/exact.ts'
import { valueAtPath } from '../jmespath/expression.ts'

type Fields = Record<string, unknown>

/** Describes where transform results go: a tree of names with the index of a result at each leaf. */
export interface DestinationTree {
  readonly fields: ReadonlyMap<string, DestinationTree | number>
}

/**
 * Builds the tree of destination paths, numbered in their order. Throws when one path is the beginning of another.
 */
export function buildDestinationTree(paths: readonly (readonly string[])[]): DestinationTree {
  const root = new Map<string, DestinationTree | number>()
  for (const [number, path] of paths.entries()) {
    let at = root
    for (const [depth, name] of path.entries()) {
      const there = at.get(name)
      if (depth === path.length - 1) {
        if (there !== undefined) throw new Error(`${formatPath(path)} conflicts with another destination`)
        at.set(name, number)
      } else {
        if (typeof there === 'number') throw new Error(`${formatPath(path)} is inside another destination`)
        const next = (there?.fields ?? new Map()) as Map<string, DestinationTree | number>
        if (there === undefined) at.set(name, { fields: next })
        at = next
      }
    }
  }
  return { fields: root }
}

/**
 * Returns the message with results at their destinations. Missing objects are created, and other values in the way
 * are replaced. A null replaces an existing value and adds nothing new. `message` is not modified, and results may be
 * parts of it.
 */
export function withResults(
  message: object,
  destinations: DestinationTree,
  results: readonly unknown[],
): object {
  return placeResults(message, destinations, results) ?? message
}

function placeResults(
  value: unknown,
  { fields }: DestinationTree,
  results: readonly unknown[],
): Fields | undefined {
  let copy: Fields | undefined = isMessageObject(value) ? { ...(value as Fields) } : undefined
  for (const [name, destination] of fields) {
    const there = copy !== undefined && Object.hasOwn(copy, name) ? copy[name] : undefined
    const result =
      typeof destination === 'number' ? results[destination] : placeResults(there, destination, results)
    if (result === undefined || (result === null && there === undefined)) continue
    copy ??= {}
    copy[name] = result
  }
  return copy
}

/** Returns the message without the field at a path, and without objects that become empty. */
export function withoutField(message: object, path: readonly string[]): object {
  return removed(message, path, 0) ?? {}
}

function removed(value: object, path: readonly string[], depth: number): object | undefined {
  const name = path[depth] as string
  if (!Object.hasOwn(value, name)) return value
  const copy: Fields = { ...(value as Fields) }
  const inner = copy[name]
  if (depth === path.length - 1) Reflect.deleteProperty(copy, name)
  else {
    if (!isMessageObject(inner)) return value
    const rest = removed(inner, path, depth + 1)
    if (rest === inner) return value
    if (rest === undefined) Reflect.deleteProperty(copy, name)
    else copy[name] = rest
  }
  return Object.keys(copy).length === 0 ? undefined : copy
}

/** Returns the message with the field at `from` moved to `to`, or unchanged when there is no such field. */
export function renameField(message: object, from: readonly string[], to: DestinationTree): object {
  if (!hasPath(message, from)) return message
  return withResults(withoutField(message, from), to, [valueAtPath(message, from)])
}

function hasPath(value: unknown, path: readonly string[]): boolean {
  let found = value
  for (const name of path) {
    if (!isMessageObject(found) || !Object.hasOwn(found, name)) return false
    found = (found as Fields)[name]
  }
  return true
}
