import { existsSync } from 'node:fs'
import { messageOf } from '../src/core/errors.ts'
import { DATE_PARTS, parseDerivation } from './derive.ts'
import type { Report } from './report.ts'
import { isTree, readJson } from './tree.ts'
import type { TopicConfig } from './types.ts'

/** Options of what rows are made of. */
export function checkRows(topic: TopicConfig, report: Report): void {
  for (const [column, expression] of Object.entries(topic.derive)) {
    if (parseDerivation(column, expression) === undefined) {
      const parts = DATE_PARTS.map((part) => `${part}(column)`).join(', ')
      report(
        [`derive.${column}`, 'derive'],
        `must be one of ${parts}: value was ${JSON.stringify(expression)}`,
      )
    }
  }
  if (topic.contract !== undefined) checkContract(topic.contract, report)
}

function checkContract(path: string, report: Report): void {
  if (!existsSync(path)) {
    report(['contract'], `there is no file ${path}`)
    return
  }
  try {
    if (!isTree(readJson(path))) report(['contract'], `must hold a JSON object: ${path}`)
  } catch (error) {
    report(['contract'], `cannot be read as JSON: ${path}: ${messageOf(error)}`)
  }
}
