import { idKeywordOf, type JsonSchemaDraft } from './draft.ts'
import { childSchemas, isJsonObject, extendPointer, resolvePointer, subschemas } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** Describes one document of a contract: the contract itself, or a document that it refers to. */
export interface ContractDocument {
  /** The absolute URI under which references find the document. */
  readonly uri: string
  /** Prefix of JSON pointers in faults; empty for the contract itself. */
  readonly name: string
  readonly schema: JsonSchema
}

/** The URI of a contract without a name. */
export const ROOT_CONTRACT_URI = 'contract:/'

/** Describes a schema and its place. */
interface SchemaLocation {
  readonly schema: unknown
  readonly at: string
}

/** Describes a schema with a URI of its own. */
interface Resource extends SchemaLocation {
  readonly schema: JsonSchema
  readonly uri: string
}

/** Returns `reference` resolved against a base URI, or unchanged when it cannot be resolved. */
export function resolveUri(base: string, reference: string): string {
  return URL.canParse(reference, base) ? new URL(reference, base).href : reference
}

/** Resolves the references within a contract and its documents by `$id`, anchors and JSON pointers. */
export class SchemaReferences {
  readonly documents: readonly ContractDocument[]
  readonly #idKeyword: 'id' | '$id'
  readonly #resources = new Map<string, Resource>()
  readonly #anchors = new Map<string, SchemaLocation>()
  readonly #dynamic = new Map<string, number>()
  /** The resource that contains a schema. */
  readonly #homes = new WeakMap<JsonSchema, Resource>()

  /** The first document is the contract. */
  constructor(documents: readonly ContractDocument[], draft: JsonSchemaDraft) {
    this.documents = documents
    this.#idKeyword = idKeywordOf(draft)
    for (const { uri, name, schema } of documents) {
      const at = name === '' ? '' : `${name}#`
      this.#index(schema, at, { schema, at, uri })
      // A document that names itself is known by its own name as well.
      const home = this.#homes.get(schema)
      if (home === undefined) continue
      this.#resources.set(uri, home)
      if (name !== '') this.#resources.set(name, home)
    }
  }

  /** Returns the schema that a reference in `from` means and its place, or `undefined` when it does not exist. */
  resolve(from: JsonSchema, reference: string): SchemaLocation | undefined {
    const hash = reference.indexOf('#')
    const address = hash < 0 ? reference : reference.slice(0, hash)
    const fragment = hash < 0 ? '' : reference.slice(hash + 1)
    const home = this.#homes.get(from)
    const resource = address === '' ? home : this.#resource(home?.uri ?? '', address)
    if (resource === undefined) return undefined
    if (fragment === '') return resource
    if (!fragment.startsWith('/')) return this.#anchors.get(`${resource.uri}#${fragment}`)
    const schema = resolvePointer(resource.schema, fragment)
    if (schema === undefined) return undefined
    const at = resource.at + fragment
    // The target is below an unknown keyword and therefore not indexed yet.
    if (isJsonObject(schema) && !this.#homes.has(schema)) this.#index(schema, at, resource)
    return { schema, at }
  }

  /**
   * Returns the absolute form of a reference to another resource, or `undefined` when it stays within its own
   * resource or cannot be resolved.
   */
  absoluteUriOf(from: JsonSchema, reference: string): string | undefined {
    const hash = reference.indexOf('#')
    const address = hash < 0 ? reference : reference.slice(0, hash)
    if (address === '') return undefined
    const resource = this.#resource(this.#homes.get(from)?.uri ?? '', address)
    return resource && resource.uri + (hash < 0 ? '' : reference.slice(hash))
  }

  /** Yields each address that cannot be resolved, with the document and the base URI it appears in. */
  *unresolved(): Generator<{ document: ContractDocument; base: string; address: string }> {
    for (const document of this.documents) {
      for (const { schema } of subschemas(document.schema)) {
        for (const reference of [schema['$ref'], schema['$dynamicRef']]) {
          if (typeof reference !== 'string') continue
          const [address = ''] = reference.split('#')
          if (address === '' || this.absoluteUriOf(schema, address) !== undefined) continue
          yield { document, base: this.uriOf(schema) ?? document.uri, address }
        }
      }
    }
  }

  /** Returns the URI of the resource that contains a schema. */
  uriOf(schema: JsonSchema): string | undefined {
    return this.#homes.get(schema)?.uri
  }

  /**
   * Returns the number of schemas that a `$dynamicRef` of this name may mean; the empty name stands for
   * `$recursiveRef`.
   */
  countDynamicTargets(name: string): number {
    return this.#dynamic.get(name) ?? 0
  }

  #resource(base: string, address: string): Resource | undefined {
    return this.#resources.get(resolveUri(base, address)) ?? this.#resources.get(address)
  }

  #index(schema: JsonSchema, at: string, within: Resource): void {
    const home = this.#homeOf(schema, at, within)
    this.#homes.set(schema, home)
    const { $anchor, $dynamicAnchor, $recursiveAnchor } = schema
    for (const name of [$anchor, $dynamicAnchor])
      if (typeof name === 'string') this.#anchors.set(`${home.uri}#${name}`, { schema, at })
    const dynamic = $recursiveAnchor === true ? '' : $dynamicAnchor
    if (typeof dynamic === 'string') this.#dynamic.set(dynamic, this.countDynamicTargets(dynamic) + 1)
    for (const child of childSchemas(schema))
      if (isJsonObject(child.schema) && !this.#homes.has(child.schema))
        this.#index(child.schema, extendPointer(at, ...child.steps), home)
  }

  /** A schema with a name is a resource of its own. Up to draft-07 an id that is only a fragment is an anchor. */
  #homeOf(schema: JsonSchema, at: string, within: Resource): Resource {
    const id = schema[this.#idKeyword]
    if (typeof id !== 'string') return within
    const [address = '', fragment = ''] = id.split('#')
    const home = address === '' ? within : { schema, at, uri: resolveUri(within.uri, address) }
    if (address !== '') this.#resources.set(home.uri, home)
    if (fragment !== '') this.#anchors.set(`${home.uri}#${fragment}`, { schema, at })
    return home
  }
}
