import { PipelineError } from '../core/errors.ts'
import type { StructType } from '../core/schema.ts'
import { compile, type Check } from './json-schema/compile.ts'
import { DRAFTS, draftOf, readable, type Draft } from './json-schema/draft.ts'
import { isObject, pointerTo, subschemas } from './json-schema/json-schema.ts'
import type { Fault, JsonSchema } from './json-schema/json-schema.ts'
import { plainOf } from './columns/plain.ts'
import type { PlainContract } from './columns/plain.ts'
import { References, resolveUri, ROOT_URI } from './json-schema/references.ts'
import type { ContractDocument } from './json-schema/references.ts'
import { contractInvalid, mapSchema } from './columns/to-table-schema.ts'

/** What every record of a topic must be, and the table schema that follows from it. */
export interface Contract {
  /** Where the contract came from: a path, or the table's URI. */
  readonly source: string
  /** The columns, all nullable. */
  readonly schema: StructType
  /** Checks one row: `undefined` when it is valid, else one line with JSON pointer, what was expected, what was got. Never throws. */
  check(row: unknown): string | undefined
  /** The whole contract as data for a checker without objects; `undefined` where only `check` can tell. */
  readonly plain: PlainContract | undefined
}

/** Where a contract came from, and what stands beside it. */
export interface ContractOrigin {
  readonly source: string
  /** What relative references are resolved against, where the contract does not name itself. */
  readonly uri?: string
  /** Schemas that the contract refers to, by the names that its references have, absolute or not. */
  readonly documents?: ReadonlyMap<string, unknown>
}

/**
 * A contract from JSON Schema of the draft that `$schema` names, 2020-12 where it is absent, formats asserted.
 * @throws KD_CONTRACT_INVALID with every fault and its JSON pointer: no valid schema, unknown formats, references that
 * lead nowhere, types that no column can take, column names that Delta refuses.
 */
export function loadContract(json: unknown, origin: ContractOrigin): Contract {
  const { source } = origin
  if (!isObject(json)) throw contractInvalid(mapSchema(json).faults, source)
  const draft = draftOf(json['$schema'])
  if (draft === undefined) throw contractInvalid([unknownDraft(json['$schema'])], source)
  const { documents, faults: unfit } = documentsOf(json, draft, origin)
  if (unfit.length > 0) throw contractInvalid(unfit, source)
  const [root] = documents
  if (root === undefined) throw new PipelineError('KD_CONTRACT_INVALID', 'expected a schema', { source })
  const references = new References(documents, draft)
  const { type, faults } = mapSchema(root.schema, references)
  const compiled = compile(references, draft)
  // What ajv has to say of a schema comes first: it explains most of the rest.
  const all = [...compiled.faults, ...faults]
  if (all.length > 0 || type === undefined || compiled.check === undefined) throw contractInvalid(all, source)
  const check: Check = compiled.check
  return { source, schema: type, plain: plainOf(root.schema, type, references), check }
}

function unknownDraft($schema: unknown, at = ''): Fault {
  const message = `${JSON.stringify($schema)} is not supported; there are ${DRAFTS.join(', ')}`
  return { at: pointerTo(at, '$schema'), message }
}

/** The contract and what stands beside it, as their draft reads them. */
function documentsOf(
  json: JsonSchema,
  draft: Draft,
  { uri = ROOT_URI, documents = new Map() }: ContractOrigin,
): { readonly documents: readonly ContractDocument[]; readonly faults: readonly Fault[] } {
  const faults = draftFaults(json, '', draft)
  const made = [{ uri, name: '', schema: readable(json, draft) as JsonSchema }]
  for (const [name, document] of documents) {
    if (!isObject(document)) {
      faults.push({ at: name, message: 'expected a JSON Schema object' })
      continue
    }
    faults.push(...draftFaults(document, `${name}#`, draft))
    made.push({ uri: resolveUri(uri, name), name, schema: readable(document, draft) as JsonSchema })
  }
  return { documents: made, faults }
}

/** One contract is written in one draft. */
function draftFaults(json: JsonSchema, at: string, draft: Draft): Fault[] {
  const faults: Fault[] = []
  for (const { schema, at: place } of subschemas(json, at)) {
    const { $schema } = schema
    if ($schema === undefined) continue
    const own = draftOf($schema)
    if (own === undefined) faults.push(unknownDraft($schema, place))
    else if (own !== draft) {
      const message = `is of ${own}, while the contract is of ${draft}; a contract has one draft`
      faults.push({ at: pointerTo(place, '$schema'), message })
    }
  }
  return faults
}
