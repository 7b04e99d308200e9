import { FORMAT_OPTIONS } from '../../config/format/options.ts'
import type { Row } from '../arrow/rows.ts'
import type { Contract } from '../contract/contract.ts'
import { PipelineError } from '../core/errors.ts'
import { withDebeziumColumns } from '../formats/debezium/columns.ts'
import { contractOfFormat } from '../formats/open/contract.ts'
import { openFormat } from '../formats/open/open.ts'
import type { CsvSettings, FormatChoice } from '../formats/settings.ts'
import { singleColumnContract } from '../formats/text/plain.ts'
import { contractOf } from '../rows/schema-contract.ts'
import type { DebeziumRow } from './debezium-row.ts'
import type { TopicFormat, TopicSchema } from './topic-format.ts'

/** Holds the settings that all formats have. Defaults are those of the service. */
export type ValueSettings = Partial<
  Pick<FormatChoice, 'decompress' | 'decompressedBytesMax' | 'recordsPerMessageMax'>
>

/** Holds the settings of values with the id of a schema in front of them, or in their headers. */
export type RegistrySettings = Partial<Pick<FormatChoice, 'schemaRegistry' | 'subject'>>

/** Holds the settings of JSON. */
export interface JsonSettings extends ValueSettings, RegistrySettings {
  /** True when each value has one object a line, each of which becomes a row. */
  readonly lines?: boolean
}

/** Holds the settings of Avro; `schema`, `schemas` and `readerSchema` are paths of files and of a folder. */
export interface AvroFormatSettings
  extends ValueSettings, RegistrySettings, Partial<Pick<FormatChoice, 'compatibility'>> {
  readonly schema?: string
  readonly schemas?: string
  readonly readerSchema?: string
}

/** Holds the settings of Protobuf; `schema` is the path of a `.proto` file, `message` the full name of a message in it. */
export interface ProtobufFormatSettings extends ValueSettings, RegistrySettings {
  readonly schema?: string
  readonly message?: string
}

/** Returns the format of topics whose values are JSON objects. With a registry, values have the ids of their schemas. */
export function json<T extends object = Row>(
  schema: TopicSchema<T>,
  settings: JsonSettings = {},
): TopicFormat<T> {
  return topicFormatOf(contractOf(schema), jsonChoice(settings))
}

/**
 * Returns the format of topics whose values are Avro: with the ids of a registry, single objects whose schemas are in a
 * folder, records without framing of one schema, or else container files.
 */
export function avro<T extends object = Row>(
  schema: TopicSchema<T>,
  settings: AvroFormatSettings = {},
): TopicFormat<T> {
  return topicFormatOf(contractOf(schema), avroChoice(settings))
}

/**
 * Returns the format of topics whose values are Protobuf messages: with the ids of a registry, or of a `.proto` file.
 * @throws KD_CONFIG_INVALID without either
 */
export function protobuf<T extends object = Row>(
  schema: TopicSchema<T>,
  settings: ProtobufFormatSettings,
): TopicFormat<T> {
  return topicFormatOf(contractOf(schema), protobufChoice(settings))
}

/** Returns the format of topics whose values are lines of CSV. Fields have the order of the columns unless `columns` names them. */
export function csv<T extends object = Row>(
  schema: TopicSchema<T>,
  settings: ValueSettings & Partial<CsvSettings> = {},
): TopicFormat<T> {
  const { decompress, decompressedBytesMax, recordsPerMessageMax, ...dialect } = settings
  const values = withoutUndefined({ decompress, decompressedBytesMax, recordsPerMessageMax })
  return topicFormatOf(contractOf(schema), {
    ...choiceOf('csv', values),
    csv: { ...CSV_DEFAULTS, ...dialect },
  })
}

/** Returns the format of topics whose values are text in UTF-8, in the column `value`. */
export function text(settings: ValueSettings = {}): TopicFormat<{ readonly value: string }> {
  return singleColumnFormat('text', settings)
}

/** Returns the format of topics whose values are any bytes, in the column `value`. Operators see them as base64. */
export function bytes(settings: ValueSettings = {}): TopicFormat<{ readonly value: string }> {
  return singleColumnFormat('bytes', settings)
}

/** Holds the settings of Debezium events; `values` is the format of the events. */
export type DebeziumFormatSettings<F extends readonly string[]> = (
  | ({ readonly values?: 'json' } & Omit<JsonSettings, 'lines'>)
  | ({ readonly values: 'avro' } & AvroFormatSettings)
  | ({ readonly values: 'protobuf' } & ProtobufFormatSettings)
) & {
  /** Fields of events that become columns beside those of the row: `op` becomes `__op`. */
  readonly fields?: F
}

/**
 * Returns the format of topics with the change events of Debezium. `schema` has the columns of the rows in the events;
 * columns of the events themselves and `__deleted`, true for a delete, follow them. A delete has the values that the database
 * logs for it, often the key alone: other columns must be nullable then.
 */
export function debezium<T extends object = Row, const F extends readonly string[] = DebeziumDefaultFields>(
  schema: TopicSchema<T>,
  settings: DebeziumFormatSettings<F> = {},
): TopicFormat<DebeziumRow<T, F>> {
  const { values = 'json', fields = DEBEZIUM_FIELDS, ...rest } = settings
  const choice =
    values === 'avro' ? avroChoice(rest) : values === 'protobuf' ? protobufChoice(rest) : jsonChoice(rest)
  return topicFormatOf(withDebeziumColumns(contractOf(schema), fields), {
    ...choice,
    envelope: 'debezium',
    debezium: { fields },
  })
}

/**
 * Returns a format whose columns are those of its own schema: the newest of the subject in the registry, the reader's schema
 * or the schema file. The compiler does not know its rows.
 * @throws KD_CONFIG_INVALID when nothing says the columns
 * @throws KD_CONTRACT_INVALID when the schema cannot be read, or contains types that no column can hold
 * @throws KD_REGISTRY_FAILED
 */
export async function formatWithOwnSchema(
  format: 'json' | 'avro' | 'protobuf',
  settings: JsonSettings & AvroFormatSettings & ProtobufFormatSettings,
): Promise<TopicFormat> {
  const choice =
    format === 'avro'
      ? avroChoice(settings)
      : format === 'protobuf'
        ? protobufChoice(settings)
        : jsonChoice(settings)
  const contract = await contractOfFormat(choice)
  if (contract !== undefined) return topicFormatOf(contract, choice)
  const detail = `format ${format}: no schema says which columns there are; give a schema file, or schemaRegistry with a subject that it has`
  throw new PipelineError('KD_CONFIG_INVALID', detail)
}

type DebeziumDefaultFields = typeof DEBEZIUM_FIELDS
const DEBEZIUM_FIELDS = FORMAT_OPTIONS.debezium.fields.default

const CSV_DEFAULTS: CsvSettings = {
  delimiter: FORMAT_OPTIONS.csv.delimiter.default,
  quote: FORMAT_OPTIONS.csv.quote.default,
  header: FORMAT_OPTIONS.csv.header.default,
  nullWords: FORMAT_OPTIONS.csv.nullWords.default,
}

function choiceOf(format: string, values: ValueSettings & RegistrySettings): FormatChoice {
  const { schemaRegistry, subject = '', decompress, decompressedBytesMax, recordsPerMessageMax } = values
  if (schemaRegistry === undefined && subject !== '')
    throw new PipelineError('KD_CONFIG_INVALID', `format ${format}: subject needs schemaRegistry`)
  return {
    format,
    framing: schemaRegistry === undefined ? 'none' : 'registry',
    subject,
    avro: {},
    csv: CSV_DEFAULTS,
    decompress: decompress ?? FORMAT_OPTIONS.decompress.default,
    decompressedBytesMax: decompressedBytesMax ?? FORMAT_OPTIONS.decompressedBytesMax.default,
    recordsPerMessageMax: recordsPerMessageMax ?? FORMAT_OPTIONS.recordsPerMessageMax.default,
    ...(schemaRegistry === undefined ? {} : { schemaRegistry }),
  }
}

function jsonChoice({ lines = false, ...values }: JsonSettings): FormatChoice {
  return choiceOf(lines ? 'jsonl' : 'json', values)
}

function avroChoice(settings: AvroFormatSettings): FormatChoice {
  const { schema, schemas, readerSchema, compatibility, ...values } = settings
  const choice = choiceOf('avro', values)
  const bare = schemas !== undefined ? 'single-object' : schema !== undefined ? 'none' : 'container'
  return {
    ...choice,
    framing: choice.schemaRegistry === undefined ? bare : 'registry',
    avro: withoutUndefined({ schema, schemas, readerSchema }),
    ...(compatibility === undefined ? {} : { compatibility }),
  }
}

function protobufChoice({ schema, message, ...values }: ProtobufFormatSettings): FormatChoice {
  const choice = choiceOf('protobuf', values)
  if (schema === undefined && choice.schemaRegistry === undefined)
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'format protobuf: needs schema, a .proto file, or schemaRegistry',
    )
  return { ...choice, protobuf: withoutUndefined({ schema, message }) }
}

function singleColumnFormat(
  format: 'text' | 'bytes',
  settings: ValueSettings,
): TopicFormat<{ readonly value: string }> {
  return topicFormatOf(singleColumnContract(format) as Contract, choiceOf(format, settings))
}

function topicFormatOf<T extends object>(contract: Contract, choice: FormatChoice): TopicFormat<T> {
  return { name: choice.format, contract, choice, open: (options) => openFormat(choice, options) }
}

function withoutUndefined<T extends object>(
  object: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>
  }
}
