import type { TopicConfig } from '../../config/types.ts'
import { readContract } from '../contract/file.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructField, StructType } from '../core/schema.ts'
import { cobDate, cobDateFault } from '../enrichments/cob-date.ts'
import { derivedOrFault } from '../enrichments/derived-column.ts'
import { KAFKA_FIELDS } from '../enrichments/kafka-columns.ts'
import { checkDestinations, contractAfter, openTransforms } from '../service/table/transforms.ts'

/** What a topic's table will look like; `schema` is absent where only the existing table knows it. */
export interface Plan {
  readonly name: string
  readonly topic: string
  readonly table: string
  readonly appId: string
  readonly deadLetters: string
  readonly partitionColumns: readonly string[]
  readonly schema?: StructType
}

/**
 * Derives the table of a topic from its contract, without asking Kafka or the store.
 *
 * @throws KD_CONTRACT_INVALID when the contract cannot be used, KD_CONFIG_INVALID with every fault when options do not
 * fit its columns.
 */
export async function planOf(name: string, topic: TopicConfig): Promise<Plan> {
  const plan = {
    name,
    topic: topic.topic,
    table: topic.table.uri,
    appId: topic.appId,
    deadLetters: topic.deadLetters.topic,
    partitionColumns: topic.table.partitionColumns,
  }
  const messages = topic.contract === undefined ? undefined : await readContract(topic.contract)
  const prefix = `topics.${name}.`
  const transformation = await openTransforms(topic, messages?.schema, { prefix })
  if (messages === undefined) return plan
  const contract =
    transformation === undefined ? messages : contractAfter(messages, transformation, { prefix })
  if (transformation !== undefined) checkDestinations(topic, contract.schema, transformation, undefined)
  const faults: string[] = []
  const fields = [...contract.schema.fields, ...(topic.kafkaColumns ? KAFKA_FIELDS : [])]
  addDerived(fields, topic, faults)
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

// A derived column may be taken from any column before it, those of Kafka too.
function addDerived(fields: StructField[], topic: TopicConfig, faults: string[]): void {
  const fault = cobDateFault(topic.cobDate, { type: 'struct', fields })
  if (fault !== undefined) faults.push(`cobDate.from: ${fault}`)
  else fields.push(...(cobDate(topic.cobDate, { type: 'struct', fields })?.fields ?? []))
  for (const [column, expression] of Object.entries(topic.derive)) {
    const derived = derivedOrFault(column, expression, { type: 'struct', fields })
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
    // Delta compares column names without regard to case.
    if (seen.has(name.toLowerCase()))
      faults.push(`contract: the column ${JSON.stringify(name)} would be there twice`)
    seen.add(name.toLowerCase())
  }
  for (const column of partitionColumns) {
    const field = fields.find(({ name }) => name === column)
    if (field === undefined) {
      faults.push(
        `table.partitionColumns: ${JSON.stringify(column)} is no column; there are ${fields.map(({ name }) => name).join(', ')}`,
      )
    } else if (typeof field.type !== 'string') {
      faults.push(
        `table.partitionColumns: ${JSON.stringify(column)} is a ${field.type.type}; only a plain value can partition`,
      )
    }
  }
  if (partitionColumns.length > 0 && partitionColumns.length === fields.length) {
    faults.push('table.partitionColumns: names every column; at least one must remain for the files')
  }
}
