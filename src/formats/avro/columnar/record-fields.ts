import type { PlainContract } from '../../../contract/columns/plain.ts'
import { sourceOf } from '../resolve.ts'
import type { AvroLogical, AvroNode, AvroRecord } from '../schema.ts'
import type { ScalarTypes } from './scalar-plan.ts'

/** Describes a field of the bytes of a record. */
interface RecordField {
  /** Its name in the row; undefined when the reader lacks it. */
  readonly name: string | undefined
  readonly node: AvroNode
  /** The type as which it is read. */
  readonly into: AvroNode
}

/** Returns the fields of the bytes in their order. */
export function fieldsOf(writer: AvroRecord, reader: AvroRecord): readonly RecordField[] {
  if (writer === reader) return writer.fields.map(({ name, node }) => ({ name, node, into: node }))
  const wanted = new Map(reader.fields.map((field) => [sourceOf(field, writer), field]))
  return writer.fields.map((field) => {
    const into = wanted.get(field)
    return { name: into?.name, node: field.node, into: into?.node ?? field.node }
  })
}

/** Returns why the contract refuses every object with these keys, or needs objects. */
export function contractFault(keys: readonly string[], plain: PlainContract | undefined): string | undefined {
  if (plain === undefined) return undefined
  const required = plain.fields.find((field) => field.required && !keys.includes(field.name))
  if (required !== undefined) return `the contract requires ${required.name}, which the schema lacks`
  if (plain.additionalProperties) return undefined
  const further = keys.find((key) => !plain.fields.some(({ name }) => name === key))
  return further === undefined ? undefined : `the contract has no property ${further}`
}

type ScalarNode = Extract<AvroNode, { readonly logical?: AvroLogical }> & {
  readonly kind: ScalarTypes['writer']
}

/** Returns true for types that are one value in one column. */
export function isScalar(node: AvroNode): node is ScalarNode {
  return SCALARS.has(node.kind)
}

const SCALARS: ReadonlySet<string> = new Set<ScalarTypes['writer']>([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
  'fixed',
])
