import { closest } from 'fastest-levenshtein'
import { OPTION_FORMATS } from './formats.ts'
import { RULE_FIELDS, TRANSFORM_FIELDS, type TextFieldTable } from '../text-fields.ts'
import { isJsonTree, type JsonTree } from '../tree.ts'

type ReportText = (fault: string) => void

/** Returns the entries of a map option whose values are non-empty texts; reports and drops the others. */
export function readTextMap(tree: JsonTree, prefix: string, report: ReportText): [string, unknown][] {
  return Object.entries(tree).filter(([key, value]) => isText(value, `${prefix}${key}`, report))
}

/** Returns the entries of `transforms`, each as `{ expr, type }`; reports and drops the invalid ones. */
export function readTransformMap(tree: JsonTree, prefix: string, report: ReportText): [string, unknown][] {
  return Object.entries(tree).flatMap(([destination, value]): [string, unknown][] => {
    const key = `${prefix}${destination}`
    if (typeof value === 'string') return isText(value, key, report) ? [[destination, { expr: value }]] : []
    const fields = readTextFields(value, TRANSFORM_FIELDS, key, report)
    return fields === undefined ? [] : [[destination, fields]]
  })
}

/** Returns the complete rules of a list; reports and drops the others. */
export function readRuleList(value: unknown, key: string, report: ReportText): unknown {
  // The format of the option rejects a value that is not a list.
  if (!Array.isArray(value)) return value
  return value.flatMap((rule: unknown, index) => {
    return readTextFields(rule, RULE_FIELDS, `${key}[${index}]`, report) ?? []
  })
}

/**
 * Returns an object that has text in all needed fields of `table` and nothing but text in the others. Reports
 * every fault and returns `undefined` otherwise.
 */
function readTextFields(
  value: unknown,
  table: TextFieldTable,
  key: string,
  report: ReportText,
): JsonTree | undefined {
  const all = Object.keys(table)
  if (!isJsonTree(value)) {
    report(`${key}: must be an object with ${all.join(', ')}: value was ${JSON.stringify(value)}`)
    return undefined
  }
  let faults = 0
  const countAndReport = (fault: string): void => {
    faults++
    report(fault)
  }
  for (const [name, inner] of Object.entries(value)) {
    if (all.includes(name)) isText(inner, `${key}.${name}`, countAndReport)
    else countAndReport(`${key}.${name}: unknown key; the nearest known one is ${key}.${closest(name, all)}`)
  }
  for (const name of all)
    if (table[name] === 'needed' && !(name in value))
      countAndReport(`${key}.${name}: is required and has no default`)
  return faults === 0 ? { ...value } : undefined
}

function isText(value: unknown, key: string, report: ReportText): boolean {
  const fits = OPTION_FORMATS.text.accepts(value)
  if (!fits) report(`${key}: must be ${OPTION_FORMATS.text.expected}: value was ${JSON.stringify(value)}`)
  return fits
}
