import { existsSync } from 'node:fs'
import { columnNameFault } from '../../src/core/schema.ts'
import { parseKafkaMetadataField, parseJmesPath } from './expression.ts'
import { isWithinPath, parsePath, type FieldPath } from './path.ts'
import type { ReportFault } from '../report.ts'
import type { TransformConfig } from './types.ts'

/** Primitive types that a transform may declare for its column. */
const TYPES = 'string long integer short byte float double boolean binary date timestamp timestamp_ntz'.split(
  ' ',
)

/** Files that Node can load: scripts and modules, in JavaScript or TypeScript. */
const CODE_FILE = /\.[cm]?[jt]s$/

/** Reports invalid expressions, paths, types and files of a topic's transforms. */
export function checkTransforms(topic: TransformConfig, report: ReportFault): void {
  checkRules(topic, report)
  checkOperators(topic, report)
  if (topic.filter !== undefined) checkExpression(topic.filter, ['filter'], report)
  const destinations = new Map<string, FieldPath>()
  for (const [destination, { expr, type }] of Object.entries(topic.transforms)) {
    const keys = [`transforms.${destination}`, 'transforms']
    if (parseKafkaMetadataField(expr) === undefined) checkExpression(expr, keys, report)
    if (type !== undefined && !TYPES.includes(type) && !isDecimal(type)) {
      const expected = `must be one of ${TYPES.join(', ')}, decimal(p,s)`
      report(
        [`transforms.${destination}.type`, 'transforms'],
        `${expected}: value was ${JSON.stringify(type)}`,
      )
    }
    const path = checkDestination(destination, keys, report)
    if (path !== undefined) destinations.set(destination, path)
  }
  checkConflicts(destinations, report)
  for (const path of topic.drop) checkPath(path, ['drop'], report)
  for (const [from, to] of Object.entries(topic.rename)) {
    const keys = [`rename.${from}`, 'rename']
    checkPath(from, keys, report)
    checkDestination(to, keys, report)
  }
  for (const option of ['lookups', 'hashKeys'] as const) {
    for (const [name, path] of Object.entries(topic[option])) {
      const isFile = option === 'lookups' || !path.startsWith('env:')
      if (isFile && !existsSync(path)) report([`${option}.${name}`, option], `does not exist: ${path}`)
    }
  }
}

function checkOperators({ operators }: TransformConfig, report: ReportFault): void {
  if (operators === undefined) return
  if (!CODE_FILE.test(operators))
    report(
      ['operators'],
      `must be a file ending in .js, .mjs, .cjs, .ts, .mts or .cts: value was ${operators}`,
    )
  else if (!existsSync(operators)) report(['operators'], `does not exist: ${operators}`)
}

function checkRules({ rules }: TransformConfig, report: ReportFault): void {
  for (const [index, { name, when }] of rules.entries()) {
    checkExpression(when, [`rules.${name}.when`, 'rules'], report)
    if (rules.findIndex((other) => other.name === name) < index)
      report(['rules'], `names ${JSON.stringify(name)} twice`)
  }
}

function checkExpression(text: string, keys: readonly string[], report: ReportFault): void {
  const parsed = parseJmesPath(text)
  if ('fault' in parsed) report(keys, `${parsed.fault}: value was ${JSON.stringify(text)}`)
}

/** Reports two destinations of which one is the other or lies inside it. */
function checkConflicts(destinations: ReadonlyMap<string, FieldPath>, report: ReportFault): void {
  for (const [destination, path] of destinations) {
    const keys = [`transforms.${destination}`, 'transforms']
    for (const [other, above] of destinations) {
      if (other === destination || !isWithinPath(above, path)) continue
      if (above.length < path.length)
        report(keys, `conflicts with transforms.${other}, which sets the whole value that contains it`)
      else if (other < destination) report(keys, `is the same field as transforms.${other}`)
      else continue
      break
    }
  }
}

/** Reports text that is not the path of a field. Returns the path otherwise. */
function checkPath(text: string, keys: readonly string[], report: ReportFault): FieldPath | undefined {
  const parsed = parsePath(text)
  if ('names' in parsed) return parsed.names
  report(keys, parsed.fault)
  return undefined
}

/** Does the same for a path that may become a column, so that each of its names must be valid for one. */
function checkDestination(text: string, keys: readonly string[], report: ReportFault): FieldPath | undefined {
  const path = checkPath(text, keys, report)
  const refused = path?.find((name) => columnNameFault(name) !== undefined)
  if (refused !== undefined)
    report(keys, `${JSON.stringify(text)} cannot be a column: ${JSON.stringify(refused)} is not a valid name`)
  return path
}

function isDecimal(type: string): boolean {
  const [, precision, scale] = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(type) ?? []
  return Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Number(precision)
}
