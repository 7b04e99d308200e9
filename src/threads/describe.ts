import { deserialize, serialize } from 'node:v8'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import type { FormatOptions } from '../formats/format.ts'
import { choiceOf, type ThreadFormat } from '../formats/open/thread-format.ts'
import type { FormatChoice } from '../formats/settings.ts'

/** Holds a format and the columns to fill, with what a thread needs to open the format for them. */
export interface DescribedReader {
  readonly choice: FormatChoice
  readonly options: Omit<FormatOptions, 'absentValues'>
  /** Names of the columns that have a value for records that lack them. */
  readonly absentNames: readonly string[]
}

/** Options as plain data: fields are named by their metadata, which each field has for itself. */
interface PlainOptions extends Omit<FormatOptions, 'absentValues' | 'storesJsonText' | 'isInferred'> {
  readonly jsonText: readonly StructField['metadata'][] | undefined
  readonly inferred: readonly StructField['metadata'][] | undefined
}

interface Description {
  readonly format: ThreadFormat
  readonly options: PlainOptions
  readonly absentNames: readonly string[]
}

/**
 * Returns a format and the columns to fill as bytes in memory that all threads share: a task copies none of them.
 * Throws when they are not plain data.
 */
export function describeReader(format: ThreadFormat, options: FormatOptions): SharedArrayBuffer {
  const { absentValues } = options
  const description: Description = {
    format,
    options: plainOptionsOf(options),
    absentNames: [...(absentValues?.keys() ?? [])],
  }
  const bytes = serialize(description)
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}

/** Returns what `describeReader` has described. */
export function describedReaderOf(shared: SharedArrayBuffer): DescribedReader {
  const { format, options, absentNames } = deserialize(Uint8Array.from(new Uint8Array(shared))) as Description
  const { jsonText, inferred, ...rest } = options
  return {
    choice: choiceOf(format),
    absentNames,
    options: { ...rest, storesJsonText: decisionOf(jsonText), isInferred: decisionOf(inferred) },
  }
}

function decisionOf(
  metadata: readonly StructField['metadata'][] | undefined,
): ((field: StructField) => boolean) | undefined {
  if (metadata === undefined) return undefined
  const chosen = new Set<object>(metadata)
  // A field that a format derives from a column keeps the metadata of the column.
  return (field) => chosen.has(field.metadata)
}

function plainOptionsOf({
  schema,
  plain,
  unknownFields,
  keepFractions,
  storesJsonText,
  isInferred,
  ignoresEmpty,
  sources,
}: FormatOptions): PlainOptions {
  const jsonText: StructField['metadata'][] = []
  const inferred: StructField['metadata'][] = []
  const copied = copyOf(schema, (field, metadata) => {
    if (storesJsonText?.(field) === true) jsonText.push(metadata)
    if (isInferred?.(field) === true) inferred.push(metadata)
  })
  return {
    schema: copied as StructType,
    plain,
    onlyColumns: true,
    jsonText: storesJsonText && jsonText,
    inferred: isInferred && inferred,
    ...(unknownFields === undefined ? {} : { unknownFields }),
    ...(keepFractions === undefined ? {} : { keepFractions }),
    ...(ignoresEmpty === undefined ? {} : { ignoresEmpty }),
    ...(sources === undefined ? {} : { sources }),
  }
}

/** Returns a copy of a type in which each field has metadata of its own. Calls `onField` with each field and the copy of its metadata. */
function copyOf(
  type: DataType,
  onField: (field: StructField, metadata: StructField['metadata']) => void,
): DataType {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((field) => {
          const metadata = { ...field.metadata }
          onField(field, metadata)
          return { ...field, metadata, type: copyOf(field.type, onField) }
        }),
      }
    case 'array':
      return { ...type, elementType: copyOf(type.elementType, onField) }
    case 'map':
      return {
        ...type,
        keyType: copyOf(type.keyType, onField),
        valueType: copyOf(type.valueType, onField),
      }
  }
}
