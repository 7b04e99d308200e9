import type { TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import { fieldNamed, type StructField, type StructType } from '../../core/schema.ts'
import { castColumns } from '../../enrichments/cast-columns.ts'
import { cobDate } from '../../enrichments/cob-date.ts'
import { DELETED_FIELD, deletedFlag } from '../../enrichments/deleted-flag.ts'
import { derivedColumn } from '../../enrichments/derived-column.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import { KAFKA_FIELDS, KAFKA_PART_FIELD, kafkaColumns } from '../../enrichments/kafka-columns.ts'

/**
 * What a topic's configuration adds to rows with the columns of `schema`: Kafka columns, the close-of-business date, and
 * derived columns, of which each may follow from those before it. In the types of `table` where it has such columns.
 * @throws KD_CONFIG_INVALID naming a column that cannot be derived
 */
export function configuredEnrichments(
  topic: TopicConfig,
  schema: StructType,
  table: StructType | undefined,
): readonly Enrichment[] {
  const enrichments: Enrichment[] = []
  const fields: StructField[] = [...schema.fields]
  const add = (enrichment: Enrichment | undefined): void => {
    if (enrichment === undefined) return
    const fitted = table === undefined ? enrichment : castColumns(enrichment, table)
    enrichments.push(fitted)
    fields.push(...fitted.fields)
  }
  if (topic.kafkaColumns) add(kafkaColumns(kafkaNames(topic)))
  if (topic.tombstones === 'row') add(deletedFlag())
  checkTombstoneKey(topic, schema)
  add(cobDate(topic.cobDate, { type: 'struct', fields }))
  for (const [name, expression] of Object.entries(topic.derive))
    add(derivedColumn(name, expression, { type: 'struct', fields: [...fields] }))
  return enrichments
}

/** Columns of a table that no message fills, since the configuration of the topic makes them. */
export function configuredColumns(topic: TopicConfig): readonly string[] {
  const { derive, cobDate: cob, tombstones } = topic
  return [
    ...Object.keys(derive),
    ...(tombstones === 'row' ? [DELETED_FIELD.name] : []),
    ...(topic.kafkaColumns ? kafkaNames(topic) : []),
    ...(cob.from === undefined || cob.from === `value:${cob.column}` ? [] : [cob.column]),
  ]
}

function kafkaNames({ format, formats, framing }: TopicConfig): readonly string[] {
  const names = KAFKA_FIELDS.map(({ name }) => name)
  // Where formats are told apart, Avro may be a container.
  const several = formats?.some((name) => name === 'jsonl' || name === 'avro') ?? format === 'jsonl'
  return several || framing === 'container' ? [...names, KAFKA_PART_FIELD.name] : names
}

function checkTombstoneKey({ topic, tombstoneKey }: TopicConfig, schema: StructType): void {
  if (tombstoneKey === undefined || fieldNamed(schema, tombstoneKey) !== undefined) return
  const names = schema.fields.map(({ name }) => name).join(', ')
  const expected = `topic ${topic}: tombstoneKey: expected one of the columns ${names}, got ${tombstoneKey}`
  throw new PipelineError('KD_CONFIG_INVALID', expected)
}
