import type { Contract } from '../../contract/contract.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { StructType } from '../../core/schema.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../registry/registry.ts'
import type { Decoded, Format, FormatOptions, SlowCounts, SlowReason, WriterSchema } from '../format.ts'
import { holdsColumns } from '../writer-schema.ts'
import { SchemasById, withoutSchemaIds } from '../framing/registry-framing.ts'
import { schemaIdIn, type SchemaId } from '../framing/schema-id.ts'
import { contractOfRegisteredJson } from './registered-json.ts'

type Options = FormatOptions | Changing<FormatOptions>

/**
 * Returns the format that `open` returns, for values with a schema id in front or in a header. Each object carries the
 * registered JSON Schema of its id. A batch is read into columns directly only if the columns of all its schemas are
 * there; otherwise all of it is read into objects, so that the missing columns can be added.
 */
export function registeredJsonFormat(
  open: (options: Options) => Format,
  options: Options,
  registry: SchemaRegistry,
): Format {
  const schemas = new SchemasById(registry, jsonWriterSchema)
  const withPlan = withoutSchemaIds(open(options))
  const withoutPlan = withoutSchemaIds(open(optionsWithoutPlan(options)))
  const covered = new CoveredSchemas(schemas)
  return {
    name: withPlan.name,
    objectReasons: () => withPlan.objectReasons?.() ?? [],
    prepare: (raw) => schemas.prepare(raw),
    decode(raw) {
      if (covered.coverBatch(raw, currentOf(options))) return withWriters(withPlan.decode(raw), raw, schemas)
      const decoded = withWriters(withoutPlan.decode(raw), raw, schemas)
      return decoded.slow === undefined ? decoded : { ...decoded, slow: countedAs('schema', decoded.slow) }
    },
  }
}

/** Returns the number of all records that were parsed under one reason. */
function countedAs(reason: SlowReason, slow: SlowCounts): SlowCounts {
  return { [reason]: Object.values(slow).reduce((sum, count) => sum + count, 0) }
}

function optionsWithoutPlan(options: Options): Options {
  let made: { readonly of: FormatOptions; readonly options: FormatOptions } | undefined
  return {
    current() {
      const of = currentOf(options)
      if (made?.of !== of) made = { of, options: { ...of, plain: undefined } }
      return made.options
    },
  }
}

/** Returns the batch with the schema of each object. `raw` holds the values with their ids. */
function withWriters(decoded: Decoded, raw: Raw, schemas: SchemasById<WriterSchema>): Decoded {
  if (decoded.objects.length === 0) return decoded
  const { parts } = decoded.raw
  const messageOfRecord = parts === undefined || parts === raw.parts ? undefined : parts.messageIndex
  const writers = decoded.records.map((record) => {
    const i = messageOfRecord?.[record] ?? record
    const value = valueOf(raw, i)
    const id = value && schemaIdIn(value, raw, i)
    return id === undefined ? undefined : schemas.find(id)
  })
  return { ...decoded, writers }
}

/** Remembers which schemas have all their columns in the table. */
class CoveredSchemas {
  readonly #schemas: SchemasById<WriterSchema>
  #known: { readonly of: StructType; readonly byWriter: Map<WriterSchema, boolean> } | undefined

  constructor(schemas: SchemasById<WriterSchema>) {
    this.#schemas = schemas
  }

  /** Returns true when a batch may be read into columns directly. */
  coverBatch(raw: Raw, { schema, plain, unknownFields = 'skip' }: FormatOptions): boolean {
    // Without a plan nothing is read directly; columns are only added where unknown fields are left to the contract.
    if (plain === undefined || unknownFields !== 'leave') return true
    let last: SchemaId | undefined
    for (let i = 0; i < raw.count; i++) {
      const value = valueOf(raw, i)
      const id = value && schemaIdIn(value, raw, i)
      if (id === undefined || id === last) continue
      const writer = this.#schemas.find(id)
      if (writer !== undefined && !this.#covers(schema, writer)) return false
      last = id
    }
    return true
  }

  #covers(of: StructType, writer: WriterSchema): boolean {
    if (this.#known?.of !== of) this.#known = { of, byWriter: new Map() }
    const { byWriter } = this.#known
    let covers = byWriter.get(writer)
    if (covers === undefined) byWriter.set(writer, (covers = holdsColumns(of, writer.columns)))
    return covers
  }
}

/**
 * Returns the columns and the rules of a registered JSON Schema. One that no columns can be derived from has none, and
 * the reason as the fault of the whole row.
 */
export function jsonWriterSchema(schema: RegisteredSchema, source: string): WriterSchema {
  let made: Contract | string | undefined
  const contract = (): Contract | string => (made ??= contractOrFault(schema, source))
  return {
    get columns() {
      const found = contract()
      return typeof found === 'string' ? NO_COLUMNS : found.schema
    },
    get columnFaults() {
      const found = contract()
      return typeof found === 'string' ? [{ path: [], message: found }] : []
    },
    check(value) {
      const found = contract()
      return typeof found === 'string' ? undefined : found.check(value)
    },
  }
}

const NO_COLUMNS: StructType = { type: 'struct', fields: [] }

function contractOrFault(schema: RegisteredSchema, source: string): Contract | string {
  try {
    return contractOfRegisteredJson(schema, source)
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
    return messageOf(error)
  }
}
