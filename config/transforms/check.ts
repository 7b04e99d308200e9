import { existsSync } from 'node:fs'
import { REFUSED_IN_NAMES } from '../../src/core/schema.ts'
import { parseKafkaMetadataField, parseJmesPath } from './expression.ts'
import type { ReportFault } from '../report.ts'
import type { TransformConfig } from './types.ts'

/** Primitive types that a transform may declare for its column. */
const TYPES = 'string long integer short byte float double boolean binary date timestamp timestamp_ntz'.split(
  ' ',
)

/** Reports invalid expressions, paths, types and files of a topic's transforms. */
export function checkTransforms(topic: TransformConfig, report: ReportFault): void {
  checkRules(topic, report)
  if (topic.filter !== undefined) checkExpression(topic.filter, ['filter'], report)
  const destinations = Object.keys(topic.transforms)
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
    checkName(destination, keys, report)
    const above = destinations.find((other) => destination.startsWith(`${other}.`))
    if (above !== undefined)
      report(keys, `conflicts with transforms.${above}, which sets the whole value that contains it`)
  }
  for (const [from, to] of Object.entries(topic.rename)) checkName(to, [`rename.${from}`, 'rename'], report)
  for (const option of ['lookups', 'hashKeys'] as const) {
    for (const [name, path] of Object.entries(topic[option])) {
      const isFile = option === 'lookups' || !path.startsWith('env:')
      if (isFile && !existsSync(path)) report([`${option}.${name}`, option], `does not exist: ${path}`)
    }
  }
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

/** Reports a path with a part that cannot be the name of a column or field. */
function checkName(path: string, keys: readonly string[], report: ReportFault): void {
  const refused = path
    .split('.')
    .find((part) => part === '' || part === '__proto__' || REFUSED_IN_NAMES.test(part))
  if (refused !== undefined)
    report(keys, `${JSON.stringify(path)} cannot be a column: ${JSON.stringify(refused)} is not a valid name`)
}

function isDecimal(type: string): boolean {
  const [, precision, scale] = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(type) ?? []
  return Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Number(precision)
}
