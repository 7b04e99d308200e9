import { createSecretKey } from 'node:crypto'
import type { TopicConfig } from '../../../config/types.ts'
import type { TransformParts } from '../../../operators/transform.ts'
import type { Contract } from '../../contract/contract.ts'
import { fieldNamed, type StructType } from '../../core/schema.ts'
import { messageCheck } from '../../evolution/message-check.ts'
import type { RowColumns } from '../../evolution/row-columns.ts'
import type { FormatOptions } from '../../formats/format.ts'
import { columnsAfter, columnsBefore, finalPath, type ShapingOptions } from '../../transforms/columns.ts'
import { compileTransforms, transformsAnything } from '../../transforms/compile.ts'
import { configInvalid } from '../../transforms/faults.ts'
import { readHashKey, readLookup } from '../../transforms/files.ts'
import { Transformation } from '../../transforms/transformation.ts'
import { typeAt } from '../../transforms/types.ts'

/** How the transforms of a topic are opened. */
export interface TransformSetting {
  /** Stands before the options in messages: `topics.<name>.`. */
  readonly prefix: string
  /** Where keys of hashes are; without it they are not read and any key will do, since nothing is hashed. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * The transforms of a topic, compiled, with the files that they need; `undefined` where it has none. `schema` is that of
 * messages, as far as it is known.
 * @throws KD_CONFIG_INVALID with every fault
 */
export async function openTransforms(
  topic: TopicConfig,
  schema: StructType | undefined,
  { prefix, env }: TransformSetting,
): Promise<Transformation | undefined> {
  if (!transformsAnything(topic)) return undefined
  const lookups = await eachOf(topic.lookups, (path, name) => readLookup(path, `${prefix}lookups.${name}`))
  const hashKeys = await eachOf(topic.hashKeys, (place, name) =>
    env === undefined
      ? Promise.resolve(createSecretKey('none', 'utf8'))
      : readHashKey(place, `${prefix}hashKeys.${name}`, env),
  )
  const { rules, filter, transforms, drop, rename } = topic
  const compiled = compileTransforms(
    { rules, ...(filter === undefined ? {} : { filter }), transforms, drop, rename, lookups, hashKeys },
    schema,
    prefix,
  )
  return topic.compatibility === 'none'
    ? compiled
    : new Transformation({ ...compiled.parts, keepsOnNull: true })
}

async function eachOf<T>(
  places: Readonly<Record<string, string>>,
  read: (place: string, name: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const found = Object.entries(places).map(async ([name, place]) => [name, await read(place, name)] as const)
  return new Map(await Promise.all(found))
}

/**
 * The contract that rows are held to after the transforms: it has their columns and checks nothing, since messages were
 * checked as they came.
 * @throws KD_CONFIG_INVALID with every transform whose values could never stand where they go
 */
export function contractAfter(
  contract: Contract,
  transformation: Transformation,
  options: ShapingOptions = {},
): Contract {
  const { source, schema } = contract
  const columns = columnsAfter(schema, transformation, options)
  return { source, schema: columns, check: () => undefined, plain: undefined }
}

/** Columns of known types that transforms make and the table lacks, for a topic whose other columns are the table's. */
export function declaredColumns(table: StructType, transformation: Transformation): StructType | undefined {
  const made = { ...transformation.parts, drop: [], rename: [] }
  const transforms = made.transforms.flatMap((transform) => {
    const path = finalPath(transform.path, transformation)
    if (path === undefined || (typeAt(table, path) !== undefined && !transform.isExplicit)) return []
    return [{ ...transform, path }]
  })
  const declared = columnsAfter({ type: 'struct', fields: [] }, { parts: { ...made, transforms } })
  return declared.fields.length === 0 ? undefined : declared
}

/**
 * Refuses what cannot be a column of the table: a partition column of a new table that a transform makes of a type that
 * only messages would tell, and such a column at all where messages may add none.
 * @throws KD_CONFIG_INVALID with every fault and what to do
 */
export function checkDestinations(
  topic: TopicConfig,
  columns: StructType,
  transformation: Transformation,
  table: { readonly schema: StructType } | undefined,
): void {
  const { schemaEvolution, partitionColumns } = topic.table
  const faults = transformation.parts.transforms.flatMap(({ destination, path, text }) => {
    const end = finalPath(path, transformation)
    if (end === undefined || typeAt(columns, end) !== undefined) return []
    if (table !== undefined && typeAt(table.schema, end) !== undefined) return []
    const [name = ''] = end
    const partitions = table === undefined && end.length === 1 && partitionColumns.includes(name)
    const isFixed = schemaEvolution !== 'addNewColumns'
    if (!partitions && !isFixed) return []
    const why = partitions
      ? `table.partitionColumns names ${name}`
      : `table.schemaEvolution ${schemaEvolution} adds no column that only messages show`
    const what = `write {"expr": ${JSON.stringify(text)}, "type": "string"}, or another type`
    return [`transforms.${destination}: the type of the column is not known, and ${why}; ${what}`]
  })
  if (faults.length === 0) return
  throw configInvalid(faults, `topics.${topic.topic}.`)
}

/** What formats are told of messages that are transformed: their own columns, and that they are wanted as objects. */
export function messageOptions(
  written: Contract | undefined,
  columns: Pick<RowColumns, 'schema'>,
  transformation: Transformation,
): FormatOptions {
  let of: StructType | undefined
  let schema: StructType = { type: 'struct', fields: [] }
  return {
    get schema() {
      if (columns.schema !== of) {
        of = columns.schema
        const own = written?.schema.fields ?? []
        const beyond = columnsBefore(of, transformation).fields.filter(
          ({ name }) => fieldNamed({ type: 'struct', fields: own }, name) === undefined,
        )
        schema = { type: 'struct', fields: [...own, ...beyond] }
      }
      return schema
    },
    plain: undefined,
    unknown: 'leave',
  }
}

/** What the operator needs beside the transformation. */
export function transformParts(
  topic: TopicConfig,
  written: Contract | undefined,
  columns: Pick<RowColumns, 'schema'>,
): TransformParts {
  if (written === undefined) return { columns }
  return { columns, check: messageCheck(written, topic.table.schemaEvolution) }
}
