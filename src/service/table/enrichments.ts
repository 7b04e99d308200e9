import { isCobDateInPlace } from '../../../config/rows/cob-date.ts'
import type { TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import { findField, type StructField, type StructType } from '../../core/schema.ts'
import { castColumns } from '../../enrichments/cast-columns.ts'
import { cobDateColumn } from '../../enrichments/cob-date.ts'
import { DELETED_FIELD, deletedColumn } from '../../enrichments/deleted-flag.ts'
import { derivedColumn } from '../../enrichments/derived-column.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import { KAFKA_FIELDS, KAFKA_PART_FIELD, kafkaColumns } from '../../enrichments/kafka-columns.ts'
import { guardedEnrichment } from '../operators/guards.ts'

/**
 * Returns the enrichments that a topic's configuration adds to rows with the columns of `schema`: Kafka columns, the
 * close-of-business date, and derived columns, which may refer to the ones before them, followed by the enrichments of a user's code in `extensions`. Columns that exist in `table`
 * take their type from it.
 * @throws KD_CONFIG_INVALID naming a column that cannot be derived
 */
export function createEnrichments(
  topic: TopicConfig,
  schema: StructType,
  table: StructType | undefined,
  extensions: readonly Enrichment[] = [],
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
  if (topic.tombstones === 'row') add(deletedColumn())
  checkTombstoneKey(topic, schema)
  add(cobDateColumn(topic.cobDate, { type: 'struct', fields }))
  for (const [name, expression] of Object.entries(topic.derive))
    add(derivedColumn(name, expression, { type: 'struct', fields: [...fields] }))
  for (const enrichment of extensions) add(guardedEnrichment(enrichment, topic.topic))
  return enrichments
}

/** Returns the columns that the configuration fills and no message does. */
export function configuredColumnsOf(topic: TopicConfig): readonly string[] {
  const { derive, cobDate: cob, tombstones } = topic
  return [
    ...Object.keys(derive),
    ...(tombstones === 'row' ? [DELETED_FIELD.name] : []),
    ...(topic.kafkaColumns ? kafkaNames(topic) : []),
    ...(cob.from === undefined || isCobDateInPlace(cob) ? [] : [cob.column]),
  ]
}

function kafkaNames({ format, formats, framing }: TopicConfig): readonly string[] {
  const names = KAFKA_FIELDS.map(({ name }) => name)
  // With format detection, Avro messages may be container files with several records.
  const several = formats?.some((name) => name === 'jsonl' || name === 'avro') ?? format === 'jsonl'
  return several || framing === 'container' ? [...names, KAFKA_PART_FIELD.name] : names
}

function checkTombstoneKey({ topic, tombstoneKey }: TopicConfig, schema: StructType): void {
  if (tombstoneKey === undefined || findField(schema, tombstoneKey) !== undefined) return
  const names = schema.fields.map(({ name }) => name).join(', ')
  const expected = `topic ${topic}: tombstoneKey: expected one of the columns ${names}, got ${tombstoneKey}`
  throw new PipelineError('KD_CONFIG_INVALID', expected)
}
