import { FORMAT_OPTIONS } from './options.ts'
import type { Report } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** More in one message could not be held beside each other. */
const RECORDS_PER_MESSAGE_MAX = 1_000_000

/** Several formats of one topic, and how many records its messages may hold. */
export function checkFormats(topic: TopicConfig, report: Report): void {
  const { formats, format, framing, envelope, recordsPerMessageMax } = topic
  if (recordsPerMessageMax > RECORDS_PER_MESSAGE_MAX) {
    const most = `must not exceed ${RECORDS_PER_MESSAGE_MAX}`
    report(['recordsPerMessageMax'], `${most}: value was ${recordsPerMessageMax}`)
  }
  if (formats === undefined) return
  const known: readonly string[] = FORMAT_OPTIONS.format.format
  if (formats.length === 0) report(['formats'], 'must name a format')
  const unknown = formats.find((name) => !known.includes(name))
  if (unknown !== undefined)
    report(['formats'], `must be of ${known.join(', ')}: value was ${JSON.stringify(unknown)}`)
  const twice = formats.find((name, index) => formats.indexOf(name) !== index)
  if (twice !== undefined) report(['formats'], `names ${JSON.stringify(twice)} twice`)
  if (format !== FORMAT_OPTIONS.format.default) report(['formats', 'format'], 'given, while format is too')
  if (framing !== 'none')
    report(['framing', 'formats'], 'given, while formats tells the framing of each value by its first bytes')
  if (envelope !== 'none') report(['envelope', 'formats'], 'needs format, not formats')
}
