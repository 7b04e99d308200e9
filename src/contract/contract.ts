import { PipelineError } from '../core/errors.ts'
import type { StructType } from '../core/schema.ts'
import { compileContract, type RowCheck } from './json-schema/compile.ts'
import { JSON_SCHEMA_DRAFTS, draftOf, keepDraftKeywords, type JsonSchemaDraft } from './json-schema/draft.ts'
import { isJsonObject, extendPointer, subschemas } from './json-schema/json-schema.ts'
import type { JsonSchemaFault, JsonSchema } from './json-schema/json-schema.ts'
import type { PlainContract } from './columns/plain.ts'
import { toPlainContract } from './columns/to-plain.ts'
import { findReferenceCycles } from './json-schema/reference-cycles.ts'
import { SchemaReferences, resolveUri, ROOT_CONTRACT_URI } from './json-schema/references.ts'
import type { ContractDocument } from './json-schema/references.ts'
import { invalidContractError, deriveTableSchema, namedNestingError } from './columns/to-table-schema.ts'

/** Describes the records that a topic accepts, and the table schema derived from that. */
export interface Contract {
  /** Origin of the contract: a path, or the URI of the table. */
  readonly source: string
  /** The columns, all nullable. */
  readonly schema: StructType
  /**
   * Validates one row. Returns `undefined` when it is valid, otherwise one line with the JSON pointer, the
   * expectation and the actual value. Never throws.
   */
  check(row: unknown): string | undefined
  /** The whole contract as data for a validator without objects, or `undefined` when only `check` can decide. */
  readonly plain: PlainContract | undefined
  /** The keywords because of which `plain` is undefined, each with its JSON pointer; absent if there are none. */
  readonly plainFaults?: readonly JsonSchemaFault[]
}

/** Describes where a contract comes from and which documents belong to it. */
export interface ContractOrigin {
  readonly source: string
  /** Base URI for relative references when the contract does not name itself. */
  readonly uri?: string
  /** Schemas that the contract refers to, by the name that its references use, absolute or relative. */
  readonly documents?: ReadonlyMap<string, unknown>
}

/**
 * Returns the contract of a JSON Schema in the draft that `$schema` names, 2020-12 by default. Formats are asserted.
 * @throws KD_CONTRACT_INVALID with every fault and its JSON pointer: invalid schemas, unknown formats, unresolved
 * references, types that no column can hold, column names that Delta refuses
 */
export function loadContract(json: unknown, origin: ContractOrigin): Contract {
  try {
    return compileOrigin(json, origin)
  } catch (error) {
    throw namedNestingError(error, origin.source)
  }
}

function compileOrigin(json: unknown, origin: ContractOrigin): Contract {
  const { source } = origin
  if (!isJsonObject(json)) throw invalidContractError(deriveTableSchema(json).faults, source)
  const draft = draftOf(json['$schema'])
  if (draft === undefined) throw invalidContractError([unknownDraft(json['$schema'])], source)
  const { documents, faults: unfit } = documentsOf(json, draft, origin)
  if (unfit.length > 0) throw invalidContractError(unfit, source)
  const [root] = documents
  if (root === undefined) throw new PipelineError('KD_CONTRACT_INVALID', 'expected a schema', { source })
  const references = new SchemaReferences(documents, draft)
  const cycles = findReferenceCycles(references)
  // ajv overflows the stack on a cycle, when it compiles the schema or with each row.
  if (cycles.length > 0) throw invalidContractError(cycles, source)
  const { type, faults } = deriveTableSchema(root.schema, references)
  const compiled = compileContract(references, draft)
  // The faults that ajv reports come first, because they explain most of the others.
  const all = [...compiled.faults, ...faults]
  if (all.length > 0 || type === undefined || compiled.check === undefined)
    throw invalidContractError(all, source)
  const check: RowCheck = compiled.check
  const { plain, faults: plainFaults } = toPlainContract(root.schema, type, references)
  return { source, schema: type, plain, ...(plainFaults.length === 0 ? {} : { plainFaults }), check }
}

function unknownDraft($schema: unknown, at = ''): JsonSchemaFault {
  const message = `${JSON.stringify($schema)} is not supported; supported drafts: ${JSON_SCHEMA_DRAFTS.join(', ')}`
  return { at: extendPointer(at, '$schema'), message }
}

/** Returns the contract and its referenced documents with the keywords of their draft. */
function documentsOf(
  json: JsonSchema,
  draft: JsonSchemaDraft,
  { uri = ROOT_CONTRACT_URI, documents = new Map() }: ContractOrigin,
): { readonly documents: readonly ContractDocument[]; readonly faults: readonly JsonSchemaFault[] } {
  const faults = draftFaults(json, '', draft)
  const made = [{ uri, name: '', schema: keepDraftKeywords(json, draft) as JsonSchema }]
  for (const [name, document] of documents) {
    if (!isJsonObject(document)) {
      faults.push({ at: name, message: 'expected a JSON Schema object' })
      continue
    }
    faults.push(...draftFaults(document, `${name}#`, draft))
    made.push({ uri: resolveUri(uri, name), name, schema: keepDraftKeywords(document, draft) as JsonSchema })
  }
  return { documents: made, faults }
}

/** Refuses documents in another draft: a contract has one draft. */
function draftFaults(json: JsonSchema, at: string, draft: JsonSchemaDraft): JsonSchemaFault[] {
  const faults: JsonSchemaFault[] = []
  for (const { schema, at: pointer } of subschemas(json, at)) {
    const { $schema } = schema
    if ($schema === undefined) continue
    const own = draftOf($schema)
    if (own === undefined) faults.push(unknownDraft($schema, pointer))
    else if (own !== draft) {
      const message = `is ${own}, but the contract is ${draft}; a contract has one draft`
      faults.push({ at: extendPointer(pointer, '$schema'), message })
    }
  }
  return faults
}
