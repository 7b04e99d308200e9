import { closest } from 'fastest-levenshtein'
import { FORMATS } from './formats.ts'
import { isTree, type Tree } from '../tree.ts'

type Say = (fault: string) => void

/** The entries of an object whose values are texts; others are reported and left out. */
export function siftMap(tree: Tree, prefix: string, report: Say): [string, unknown][] {
  return Object.entries(tree).filter(([key, value]) => isText(value, `${prefix}${key}`, report))
}

/** The entries of transforms, `{ expr, type }` where only the expression was written. */
export function siftTransforms(tree: Tree, prefix: string, report: Say): [string, unknown][] {
  return Object.entries(tree).flatMap(([destination, value]): [string, unknown][] => {
    const key = `${prefix}${destination}`
    if (typeof value === 'string') return isText(value, key, report) ? [[destination, { expr: value }]] : []
    const sifted = siftFields(value, { needed: ['expr'], other: ['type'] }, key, report)
    return sifted === undefined ? [] : [[destination, sifted]]
  })
}

/** The rules of a list that are whole. */
export function siftRules(value: unknown, key: string, report: Say): unknown {
  // What is no list at all is refused by its format.
  if (!Array.isArray(value)) return value
  return value.flatMap((rule: unknown, index) => {
    const fields = { needed: ['name', 'when', 'error'], other: [] }
    return siftFields(rule, fields, `${key}[${index}]`, report) ?? []
  })
}

/** An object of texts under known names; `undefined`, once all its faults are reported, where it is none. */
function siftFields(
  value: unknown,
  { needed, other }: { readonly needed: readonly string[]; readonly other: readonly string[] },
  key: string,
  report: Say,
): Tree | undefined {
  const all = [...needed, ...other]
  if (!isTree(value)) {
    report(`${key}: must be an object with ${all.join(', ')}: value was ${JSON.stringify(value)}`)
    return undefined
  }
  let faults = 0
  const say = (fault: string): void => {
    faults++
    report(fault)
  }
  for (const [name, inner] of Object.entries(value)) {
    if (all.includes(name)) isText(inner, `${key}.${name}`, say)
    else say(`${key}.${name}: unknown key; the nearest known one is ${key}.${closest(name, all)}`)
  }
  for (const name of needed) if (!(name in value)) say(`${key}.${name}: missing, and it has no default`)
  return faults === 0 ? { ...value } : undefined
}

function isText(value: unknown, key: string, report: Say): boolean {
  const fits = FORMATS.text.accepts(value)
  if (!fits) report(`${key}: must be ${FORMATS.text.expected}: value was ${JSON.stringify(value)}`)
  return fits
}
