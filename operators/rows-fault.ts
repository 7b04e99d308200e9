import type { Rows } from '../src/arrow/rows.ts'
import type { Provenance } from '../src/core/batch.ts'
import { PipelineError } from '../src/core/errors.ts'
import { messageCountsOf } from '../src/core/raw.ts'

/**
 * Returns why rows do not account for the records of their batch, or `undefined` if they do: records + expanded = rows +
 * dead letters + tombstones + filtered. Compares numbers, whatever the number of records.
 */
export function accountFaultOf(rows: Rows, { records }: Provenance): string | undefined {
  const { columns, deadLetters, tombstones, filtered } = rows
  const { messages, expanded: parts, empty } = messageCountsOf(rows.raw)
  const expanded = parts + (rows.expanded ?? 0)
  const made = columns.length + deadLetters.length + tombstones + filtered + empty
  const counts = `${records} records + ${expanded} expanded, but ${columns.length} rows + ${deadLetters.length} dead letters + ${tombstones} tombstones + ${filtered + empty} filtered`
  if (!(tombstones >= 0 && filtered >= 0)) return `counts are negative or no numbers: ${counts}`
  return messages === records && records + expanded === made
    ? undefined
    : `not every record is accounted for exactly once: ${counts}`
}

/**
 * Returns why rows cannot belong to their batch, or `undefined`: each row has a record, ascending, each column has all rows,
 * and dead letters have offsets of the batch. One pass over `records`, nothing per value.
 */
export function rowsFaultOf(rows: Rows, provenance: Provenance): string | undefined {
  return (
    accountFaultOf(rows, provenance) ??
    lengthFaultOf(rows) ??
    recordsFaultOf(rows) ??
    letterFaultOf(rows, provenance)
  )
}

/**
 * Checks the rows of a batch, made by `maker`.
 * @throws KD_OPERATOR_INVALID with the rule, the numbers, the topic, the partition and the offsets
 */
export function assertRows(rows: Rows, provenance: Provenance, maker: string): void {
  const fault = rowsFaultOf(rows, provenance)
  if (fault === undefined) return
  const { topic, partition, first, last } = provenance
  throw new PipelineError('KD_OPERATOR_INVALID', `${maker}: ${fault}`, { topic, partition, first, last })
}

function lengthFaultOf({ columns, records }: Rows): string | undefined {
  if (records.length !== columns.length) return `${columns.length} rows come from ${records.length} records`
  const { fields } = columns.schema
  if (columns.columns.length !== fields.length)
    return `the rows have ${columns.columns.length} columns, their schema has ${fields.length}`
  const wrong = columns.columns.findIndex(({ length }) => length !== columns.length)
  if (wrong < 0) return undefined
  return `column ${String(fields[wrong]?.name)} has ${String(columns.columns[wrong]?.length)} values for ${columns.length} rows`
}

function recordsFaultOf({ records, raw, expanded = 0 }: Rows): string | undefined {
  let repeated = 0
  let previous = -1
  for (const record of records) {
    if (record < previous) return `record ${record} of the batch comes after record ${previous}`
    if (record === previous) repeated++
    previous = record
  }
  if (previous >= raw.count || (records[0] ?? 0) < 0)
    return `a row comes from record ${previous} of a batch of ${raw.count}`
  return repeated > expanded ? `${repeated} rows repeat a record, and ${expanded} are expanded` : undefined
}

function letterFaultOf(
  { deadLetters }: Rows,
  { topic, partition, first, last }: Provenance,
): string | undefined {
  const foreign = deadLetters.find(
    (letter) =>
      letter.topic !== topic ||
      letter.partition !== partition ||
      letter.offset < first ||
      letter.offset > last,
  )
  return foreign === undefined
    ? undefined
    : `the dead letter of ${foreign.topic}/${foreign.partition}@${foreign.offset} does not belong to the batch`
}
