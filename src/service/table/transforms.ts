import { createSecretKey } from 'node:crypto'
import type { TopicConfig } from '../../../config/types.ts'
import type { TransformOperatorOptions } from '../../../operators/transform.ts'
import type { PlainContract } from '../../contract/columns/plain.ts'
import type { Contract } from '../../contract/contract.ts'
import { derived, type Changing } from '../../core/changing.ts'
import { findField, type StructType } from '../../core/schema.ts'
import { createMessageCheck } from '../../evolution/message-check.ts'
import type { CoerceValue } from '../../evolution/ingest-values.ts'
import { plainContractOf } from '../../evolution/plain.ts'
import type { FormatOptions, WriterSchema } from '../../formats/format.ts'
import {
  columnsAfter,
  columnsBefore,
  finalPathOf,
  type ColumnsAfterOptions,
} from '../../transforms/columns.ts'
import { ColumnTransforms } from '../../transforms/columns/column-transforms.ts'
import { compileTransforms, hasTransforms } from '../../transforms/compile.ts'
import { invalidConfigError } from '../../transforms/faults.ts'
import { readHashKey, readLookup } from '../../transforms/files.ts'
import { Transformation } from '../../transforms/transformation.ts'
import { typeAtPath } from '../../transforms/types.ts'

/** Describes how the transforms of a topic are opened. */
interface OpenTransformsOptions {
  /** Prefix of option names in error messages: `topics.<name>.`. */
  readonly prefix: string
  /** Environment with the keys for hashes; without it a placeholder key is used, since nothing is hashed then. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Compiles the transforms of a topic and reads the files that they need; returns `undefined` when it has none.
 * `schema` is the schema of the messages, as far as it is known.
 * @throws KD_CONFIG_INVALID with every fault
 */
export async function openTransforms(
  topic: TopicConfig,
  schema: StructType | undefined,
  { prefix, env }: OpenTransformsOptions,
): Promise<Transformation | undefined> {
  if (!hasTransforms(topic)) return undefined
  const lookups = await eachOf(topic.lookups, (path, name) => readLookup(path, `${prefix}lookups.${name}`))
  const hashKeys = await eachOf(topic.hashKeys, (location, name) =>
    env === undefined
      ? Promise.resolve(createSecretKey('none', 'utf8'))
      : readHashKey(location, `${prefix}hashKeys.${name}`, env),
  )
  const { rules, filter, transforms, drop, rename } = topic
  const compiled = compileTransforms(
    { rules, ...(filter === undefined ? {} : { filter }), transforms, drop, rename, lookups, hashKeys },
    schema,
    prefix,
  )
  return topic.compatibility === 'none'
    ? compiled
    : new Transformation({ ...compiled.steps, keepsOnNull: true })
}

async function eachOf<T>(
  locations: Readonly<Record<string, string>>,
  read: (location: string, name: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const found = Object.entries(locations).map(
    async ([name, location]) => [name, await read(location, name)] as const,
  )
  return new Map(await Promise.all(found))
}

/**
 * Returns the contract for rows after the transforms. It has their columns and checks nothing, since the messages
 * were checked before the transforms.
 * @throws KD_CONFIG_INVALID naming every transform whose values can never fit their destination
 */
export function contractAfterTransforms(
  contract: Contract,
  transformation: Transformation,
  options: ColumnsAfterOptions = {},
): Contract {
  const { source, schema } = contract
  const columns = columnsAfter(schema, transformation, options)
  return { source, schema: columns, check: () => undefined, plain: undefined }
}

/**
 * Returns the columns of known type that transforms add to those of the table, for a topic whose other columns come
 * from the table.
 */
export function declaredColumnsOf(table: StructType, transformation: Transformation): StructType | undefined {
  const withoutDrops = { ...transformation.steps, drop: [], rename: [] }
  const transforms = withoutDrops.transforms.flatMap((transform) => {
    const path = finalPathOf(transform.path, transformation)
    if (path === undefined || (typeAtPath(table, path) !== undefined && !transform.isExplicit)) return []
    return [{ ...transform, path }]
  })
  const declared = columnsAfter({ type: 'struct', fields: [] }, { steps: { ...withoutDrops, transforms } })
  return declared.fields.length === 0 ? undefined : declared
}

/**
 * Refuses transform destinations that cannot become columns: a partition column of a new table whose type only
 * messages would show, and any such column when messages may not add columns.
 * @throws KD_CONFIG_INVALID with every fault and its remedy
 */
export function checkTransformDestinations(
  topic: TopicConfig,
  columns: StructType,
  transformation: Transformation,
  table: { readonly schema: StructType } | undefined,
): void {
  const { schemaEvolution, partitionColumns } = topic.table
  const faults = transformation.steps.transforms.flatMap(({ destination, path, text }) => {
    const end = finalPathOf(path, transformation)
    if (end === undefined || typeAtPath(columns, end) !== undefined) return []
    if (table !== undefined && typeAtPath(table.schema, end) !== undefined) return []
    const [name = ''] = end
    const partitions = table === undefined && end.length === 1 && partitionColumns.includes(name)
    const isFixed = schemaEvolution !== 'addNewColumns'
    if (!partitions && !isFixed) return []
    const reason = partitions
      ? `table.partitionColumns names ${name}`
      : `table.schemaEvolution ${schemaEvolution} does not add columns inferred from messages`
    const remedy = `write {"expr": ${JSON.stringify(text)}, "type": "string"}, or another type`
    return [`transforms.${destination}: the type of the column is unknown, and ${reason}; ${remedy}`]
  })
  if (faults.length === 0) return
  throw invalidConfigError(faults, `topics.${topic.topic}.`)
}

/**
 * Returns the format options for messages that are transformed: their own columns, and the fields that the transforms on
 * columns need as they are written. Without `onColumns`, and where it cannot run the steps, messages are decoded as
 * objects. The options change with the columns of rows.
 */
export function formatOptionsOf(
  written: Contract | undefined,
  columns: Changing<FormatOptions>,
  transformation: Transformation,
  { onColumns, coerceValue }: MessageDecoding = {},
): Changing<FormatOptions> {
  const optionsFor = (rows: FormatOptions): FormatOptions => {
    const { schema, absentValues, keepFractions = false } = rows
    const input = onColumns?.inputFor(rows)
    if (input?.program === undefined) {
      const own = written?.schema.fields ?? []
      const further = columnsBefore(schema, transformation).fields.filter(
        ({ name }) => findField({ type: 'struct', fields: own }, name) === undefined,
      )
      return {
        schema: { type: 'struct', fields: [...own, ...further] },
        plain: undefined,
        unknownFields: 'leave',
        keepFractions,
      }
    }
    return {
      ...rows,
      schema: input.messages,
      plain: plainOf(input.messages, written, coerceValue),
      absentValues: absentValues && absentValuesBefore(absentValues, transformation),
      sources: input.program.sources,
    }
  }
  return derived(columns, optionsFor)
}

/** Holds what decides how messages that are transformed are decoded. */
interface MessageDecoding {
  readonly onColumns?: ColumnTransforms | undefined
  /** Converts values of rows for columns of primitive types. */
  readonly coerceValue?: CoerceValue | undefined
}

/** Returns the contract of messages as plain data; one that refuses further fields has none for columns that it lacks. */
function plainOf(
  messages: StructType,
  written: Contract | undefined,
  coerceValue: CoerceValue | undefined,
): PlainContract | undefined {
  const plain = plainContractOf(messages, written, coerceValue)
  return plain !== undefined && written?.plain !== undefined && opensContract(plain, written.plain)
    ? undefined
    : plain
}

/** Returns true when a form of a contract names fields that the contract refuses, at any depth of objects. */
function opensContract(form: PlainContract, contract: PlainContract): boolean {
  return form.fields.some((field) => {
    const own = contract.fields.find(({ name }) => name === field.name)
    if (own === undefined) return !contract.additionalProperties
    return field.object !== undefined && own.object !== undefined && opensContract(field.object, own.object)
  })
}

/** Returns the default values by the names that their columns have in messages. */
function absentValuesBefore(
  absentValues: NonNullable<FormatOptions['absentValues']>,
  { steps }: Transformation,
): FormatOptions['absentValues'] {
  const names = new Map(steps.rename.map(({ from, to }) => [to[0], from[0]]))
  return new Map([...absentValues].map(([name, value]) => [names.get(name) ?? name, value]))
}

/**
 * Returns the transforms on columns of a topic, or `undefined` for a format that does not keep values as they are
 * written.
 */
export function columnTransformsOf(
  topic: Pick<TopicConfig, 'format' | 'framing' | 'envelope' | 'formats'>,
  written: Contract | undefined,
  transformation: Transformation,
): ColumnTransforms | undefined {
  const { format, framing, envelope, formats } = topic
  const isJson =
    formats === undefined &&
    (format === 'json' || format === 'jsonl') &&
    framing !== 'registry' &&
    envelope !== 'debezium'
  return isJson ? new ColumnTransforms(transformation, written?.schema) : undefined
}

/** Returns the options of the transform operator. */
export function transformOptionsOf(
  topic: TopicConfig,
  written: Contract | undefined,
  columns: Changing<FormatOptions>,
  onColumns?: ColumnTransforms,
): TransformOperatorOptions {
  const { schemaEvolution } = topic.table
  // A contract that a user wrote applies whatever schema a message names.
  const checkOf =
    topic.contract === undefined
      ? ({ columns: schema, check }: WriterSchema) =>
          check &&
          createMessageCheck({ schema, check: (message) => check(message as object) }, schemaEvolution)
      : undefined
  return {
    columns,
    onColumns,
    ...(written === undefined ? {} : { check: createMessageCheck(written, schemaEvolution) }),
    ...(checkOf === undefined ? {} : { checkOf }),
  }
}
