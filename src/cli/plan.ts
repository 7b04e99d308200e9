import type { TopicConfig } from '../../config/types.ts'
import { schemaAfter } from '../../operators/rows/row-operator.ts'
import { readContract } from '../contract/file.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructField, StructType } from '../core/schema.ts'
import { cobDateColumn, cobDateFault } from '../enrichments/cob-date.ts'
import { tryDerivedColumn } from '../enrichments/derived-column.ts'
import { KAFKA_FIELDS } from '../enrichments/kafka-columns.ts'
import { extensionColumnsOf, type TopicExtensions } from '../service/operators/extensions.ts'
import {
  checkTransformDestinations,
  contractAfterTransforms,
  openTransforms,
} from '../service/table/transforms.ts'

/** Describes the table that a topic would be written to. `schema` is absent if only an existing table defines it. */
export interface TablePlan {
  readonly name: string
  readonly topic: string
  readonly table: string
  readonly appId: string
  readonly deadLetters: string
  readonly partitionColumns: readonly string[]
  readonly schema?: StructType
}

/**
 * Derives the table of a topic from its contract, without connecting to Kafka or the store. With `code`, that of the topic's
 * operators, the table has the columns after them.
 *
 * @throws KD_CONTRACT_INVALID if the contract cannot be used
 * @throws KD_CONFIG_INVALID with every fault if options do not match the columns
 */
export async function planTable(
  name: string,
  topic: TopicConfig,
  code: TopicExtensions = {},
): Promise<TablePlan> {
  const plan = {
    name,
    topic: topic.topic,
    table: topic.table.uri,
    appId: topic.appId,
    deadLetters: topic.deadLetters.topic,
    partitionColumns: topic.table.partitionColumns,
  }
  const messages = topic.contract === undefined ? code.format?.contract : await readContract(topic.contract)
  const prefix = `topics.${name}.`
  const transformation = await openTransforms(topic, messages?.schema, { prefix })
  if (messages === undefined) return plan
  const contract =
    transformation === undefined ? messages : contractAfterTransforms(messages, transformation, { prefix })
  if (transformation !== undefined)
    checkTransformDestinations(topic, contract.schema, transformation, undefined)
  const faults: string[] = []
  const rows = schemaAfter(code.rows ?? [], contract.schema)
  const fields = [...rows.fields, ...(topic.kafkaColumns ? KAFKA_FIELDS : [])]
  addDerived(fields, topic, faults)
  fields.push(...extensionColumnsOf(code))
  checkFields(fields, topic.table.partitionColumns, faults)
  if (faults.length > 0) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      [count, ...faults.map((fault) => `  topics.${name}.${fault}`)].join('\n'),
    )
  }
  return { ...plan, schema: { type: 'struct', fields } }
}

// A derived column may be computed from every column before it, including Kafka columns.
function addDerived(fields: StructField[], topic: TopicConfig, faults: string[]): void {
  const fault = cobDateFault(topic.cobDate, { type: 'struct', fields })
  if (fault !== undefined) faults.push(`cobDate.from: ${fault}`)
  else fields.push(...(cobDateColumn(topic.cobDate, { type: 'struct', fields })?.fields ?? []))
  for (const [column, expression] of Object.entries(topic.derive)) {
    const derived = tryDerivedColumn(column, expression, { type: 'struct', fields })
    if (typeof derived === 'string') faults.push(`derive.${column}: ${derived}`)
    else fields.push(...derived.fields)
  }
}

function checkFields(
  fields: readonly StructField[],
  partitionColumns: readonly string[],
  faults: string[],
): void {
  const seen = new Set<string>()
  for (const { name } of fields) {
    // Delta compares column names case-insensitively.
    if (seen.has(name.toLowerCase()))
      faults.push(`contract: the table would have the column ${JSON.stringify(name)} twice`)
    seen.add(name.toLowerCase())
  }
  for (const column of partitionColumns) {
    const field = fields.find(({ name }) => name === column)
    if (field === undefined) {
      faults.push(
        `table.partitionColumns: ${JSON.stringify(column)} is not a column; the columns are ${fields.map(({ name }) => name).join(', ')}`,
      )
    } else if (typeof field.type !== 'string' || field.type === 'binary') {
      // The log stores partition values as text, which nested and binary values lack.
      faults.push(
        `table.partitionColumns: ${JSON.stringify(column)} has the type ${typeof field.type === 'string' ? field.type : field.type.type}; neither binary nor nested columns can partition a table`,
      )
    }
  }
  if (partitionColumns.length > 0 && partitionColumns.length === fields.length) {
    faults.push('table.partitionColumns: names every column; at least one must remain in the data files')
  }
}
