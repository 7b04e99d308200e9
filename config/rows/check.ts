import { existsSync } from 'node:fs'
import { messageOf } from '../../src/core/errors.ts'
import { checkCobDate } from './cob-date.ts'
import { derivationFault } from './derive.ts'
import type { Report } from '../report.ts'
import { isTree, readJson } from '../tree.ts'
import type { TopicConfig } from '../types.ts'

/** Options of what rows are made of. */
export function checkRows(topic: TopicConfig, report: Report): void {
  for (const [column, expression] of Object.entries(topic.derive)) {
    const fault = derivationFault(column, expression)
    if (fault !== undefined) report([`derive.${column}`, 'derive'], fault)
  }
  checkCobDate(topic.cobDate, report)
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
