import { idKeyword, type Draft } from './draft.ts'
import { children, isObject, pointerTo, resolvePointer, subschemas } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** One document of a contract: the contract itself, or one that it refers to. */
export interface ContractDocument {
  /** What references call it, absolute where they are resolved against the document that they stand in. */
  readonly uri: string
  /** In front of JSON pointers in faults; empty for the contract itself. */
  readonly name: string
  readonly schema: JsonSchema
}

/** What a contract is called that has no other name. */
export const ROOT_URI = 'contract:/'

/** Where a schema stands. */
interface Place {
  readonly schema: unknown
  readonly at: string
}

/** A schema with a URI of its own. */
interface Resource extends Place {
  readonly schema: JsonSchema
  readonly uri: string
}

/** A URI against a base; as it is written where that cannot be. */
export function resolveUri(base: string, reference: string): string {
  return URL.canParse(reference, base) ? new URL(reference, base).href : reference
}

/** What the references within a contract and the documents beside it lead to: by `$id`, anchors and JSON pointers. */
export class References {
  readonly documents: readonly ContractDocument[]
  readonly #idKeyword: 'id' | '$id'
  readonly #resources = new Map<string, Resource>()
  readonly #anchors = new Map<string, Place>()
  readonly #dynamic = new Map<string, number>()
  /** The resource that a schema belongs to. */
  readonly #homes = new WeakMap<JsonSchema, Resource>()

  /** The first document is the contract. */
  constructor(documents: readonly ContractDocument[], draft: Draft) {
    this.documents = documents
    this.#idKeyword = idKeyword(draft)
    for (const { uri, name, schema } of documents) {
      const at = name === '' ? '' : `${name}#`
      this.#index(schema, at, { schema, at, uri })
      // A document that names itself goes by its own name.
      const home = this.#homes.get(schema)
      if (home === undefined) continue
      this.#resources.set(uri, home)
      if (name !== '') this.#resources.set(name, home)
    }
  }

  /** The schema that a reference in `from` means and its place; `undefined` where there is none. */
  resolve(from: JsonSchema, reference: string): Place | undefined {
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
    // Below keywords that nobody knows.
    if (isObject(schema) && !this.#homes.has(schema)) this.#index(schema, at, resource)
    return { schema, at }
  }

  /** The absolute form of a reference to another resource; `undefined` where it is one within its own, or leads nowhere. */
  absolute(from: JsonSchema, reference: string): string | undefined {
    const hash = reference.indexOf('#')
    const address = hash < 0 ? reference : reference.slice(0, hash)
    if (address === '') return undefined
    const resource = this.#resource(this.#homes.get(from)?.uri ?? '', address)
    return resource && resource.uri + (hash < 0 ? '' : reference.slice(hash))
  }

  /** What schemas refer to by an address that leads nowhere: the address, and the document and the base that it stands in. */
  *unresolved(): Generator<{ document: ContractDocument; base: string; address: string }> {
    for (const document of this.documents) {
      for (const { schema } of subschemas(document.schema)) {
        for (const reference of [schema['$ref'], schema['$dynamicRef']]) {
          if (typeof reference !== 'string') continue
          const [address = ''] = reference.split('#')
          if (address === '' || this.absolute(schema, address) !== undefined) continue
          yield { document, base: this.uriOf(schema) ?? document.uri, address }
        }
      }
    }
  }

  /** The URI of the resource that a schema belongs to. */
  uriOf(schema: JsonSchema): string | undefined {
    return this.#homes.get(schema)?.uri
  }

  /** How many schemas a `$dynamicRef` of this name may mean, or `$recursiveRef` for an empty one. */
  dynamicTargets(name: string): number {
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
    if (typeof dynamic === 'string') this.#dynamic.set(dynamic, this.dynamicTargets(dynamic) + 1)
    for (const child of children(schema))
      if (isObject(child.schema) && !this.#homes.has(child.schema))
        this.#index(child.schema, pointerTo(at, ...child.steps), home)
  }

  /** A resource of its own where the schema has a name; up to draft-07 a fragment alone is an anchor. */
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
