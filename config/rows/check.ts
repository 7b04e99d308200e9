import { existsSync } from 'node:fs'
import { messageOf } from '../../src/core/errors.ts'
import { checkCobDate } from './cob-date.ts'
import { findDerivationFault } from './derive.ts'
import type { ReportFault } from '../report.ts'
import { isJsonTree, readJsonFile } from '../tree.ts'
import type { TopicConfig } from '../types.ts'

/** Reports faults among the options that shape rows: derived columns, close-of-business date and contract. */
export function checkRows(topic: TopicConfig, report: ReportFault): void {
  for (const [column, expression] of Object.entries(topic.derive)) {
    const fault = findDerivationFault(column, expression)
    if (fault !== undefined) report([`derive.${column}`, 'derive'], fault)
  }
  checkCobDate(topic.cobDate, report)
  if (topic.contract !== undefined) checkContract(topic.contract, report)
}

function checkContract(path: string, report: ReportFault): void {
  if (!existsSync(path)) {
    report(['contract'], `does not exist: ${path}`)
    return
  }
  try {
    if (!isJsonTree(readJsonFile(path))) report(['contract'], `must contain a JSON object: ${path}`)
  } catch (error) {
    report(['contract'], `cannot be read as JSON: ${path}: ${messageOf(error)}`)
  }
}
