import { existsSync } from 'node:fs'
import { REFUSED_IN_NAMES } from '../../src/core/schema.ts'
import { kafkaSource, parseExpression } from './expression.ts'
import type { Report } from '../report.ts'
import type { TransformConfig } from './types.ts'

/** Types that a transform may say for its column. */
const TYPES = 'string long integer short byte float double boolean binary date timestamp timestamp_ntz'.split(
  ' ',
)

/** Expressions, paths and files of a topic's transforms. */
export function checkTransforms(topic: TransformConfig, report: Report): void {
  checkRules(topic, report)
  if (topic.filter !== undefined) checkExpression(topic.filter, ['filter'], report)
  const destinations = Object.keys(topic.transforms)
  for (const [destination, { expr, type }] of Object.entries(topic.transforms)) {
    const keys = [`transforms.${destination}`, 'transforms']
    if (kafkaSource(expr) === undefined) checkExpression(expr, keys, report)
    if (type !== undefined && !TYPES.includes(type) && !isDecimal(type)) {
      const expected = `must be one of ${TYPES.join(', ')}, decimal(p,s)`
      report(
        [`transforms.${destination}.type`, 'transforms'],
        `${expected}: value was ${JSON.stringify(type)}`,
      )
    }
    checkName(destination, keys, report)
    const above = destinations.find((other) => destination.startsWith(`${other}.`))
    if (above !== undefined) report(keys, `lies within transforms.${above}, which makes a value of its own`)
  }
  for (const [from, to] of Object.entries(topic.rename)) checkName(to, [`rename.${from}`, 'rename'], report)
  for (const option of ['lookups', 'hashKeys'] as const) {
    for (const [name, path] of Object.entries(topic[option])) {
      const isFile = option === 'lookups' || !path.startsWith('env:')
      if (isFile && !existsSync(path)) report([`${option}.${name}`, option], `there is no file ${path}`)
    }
  }
}

function checkRules({ rules }: TransformConfig, report: Report): void {
  for (const [index, { name, when }] of rules.entries()) {
    checkExpression(when, [`rules.${name}.when`, 'rules'], report)
    if (rules.findIndex((other) => other.name === name) < index)
      report(['rules'], `names ${JSON.stringify(name)} twice`)
  }
}

function checkExpression(text: string, keys: readonly string[], report: Report): void {
  const parsed = parseExpression(text)
  if ('fault' in parsed) report(keys, `${parsed.fault}: value was ${JSON.stringify(text)}`)
}

/** Each part of a path becomes a column or a field of one. */
function checkName(path: string, keys: readonly string[], report: Report): void {
  const refused = path
    .split('.')
    .find((part) => part === '' || part === '__proto__' || REFUSED_IN_NAMES.test(part))
  if (refused !== undefined)
    report(keys, `${JSON.stringify(path)} cannot be a column, for its part ${JSON.stringify(refused)}`)
}

function isDecimal(type: string): boolean {
  const [, precision, scale] = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(type) ?? []
  return Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Number(precision)
}
