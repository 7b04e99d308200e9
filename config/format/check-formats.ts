import { FORMAT_OPTIONS } from './options.ts'
import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Maximum of `recordsPerMessageMax`: all records of a message are in memory at once. */
const RECORDS_PER_MESSAGE_MAX = 1_000_000

/** Reports contradictions around `formats`, and a `recordsPerMessageMax` beyond its maximum. */
export function checkFormats(topic: TopicConfig, report: ReportFault): void {
  const { formats, format, framing, envelope, recordsPerMessageMax } = topic
  if (recordsPerMessageMax > RECORDS_PER_MESSAGE_MAX) {
    const most = `must not exceed ${RECORDS_PER_MESSAGE_MAX}`
    report(['recordsPerMessageMax'], `${most}: value was ${recordsPerMessageMax}`)
  }
  if (formats === undefined) return
  const known: readonly string[] = FORMAT_OPTIONS.formats.items
  if (formats.length === 0) report(['formats'], 'must name at least one format')
  const unknown = formats.find((name) => !known.includes(name))
  if (unknown !== undefined)
    report(['formats'], `must be among ${known.join(', ')}: value was ${JSON.stringify(unknown)}`)
  const duplicate = formats.find((name, index) => formats.indexOf(name) !== index)
  if (duplicate !== undefined) report(['formats'], `names ${JSON.stringify(duplicate)} twice`)
  if (format !== FORMAT_OPTIONS.format.default)
    report(['formats', 'format'], 'is set, but format is set too: use one of them')
  if (framing !== 'none')
    report(
      ['framing', 'formats'],
      'is set, but with formats the framing of each value is detected from its first bytes',
    )
  if (envelope !== 'none')
    report(['envelope', 'formats'], 'is set, but works only with format, not with formats')
}
