import { readFile, stat } from 'node:fs/promises'
import { dirname, join, posix, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { messageOf, PipelineError } from '../core/errors.ts'
import { loadContract } from './contract.ts'
import type { Contract } from './contract.ts'
import { draftOf, keepDraftKeywords } from './json-schema/draft.ts'
import { isJsonObject, type JsonSchemaFault, type JsonSchema } from './json-schema/json-schema.ts'
import { SchemaReferences, resolveUri } from './json-schema/references.ts'
import { invalidContractError, namedNestingError } from './columns/to-table-schema.ts'

/** Files that one contract may refer to, directly or indirectly. */
const FILES_MAX = 100
/** Size limit of one file in bytes. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Reads the contract in the JSON Schema file at `path` and the files it refers to, by relative references or by the
 * location that their `$id` implies. Nothing is fetched from the network.
 * @throws KD_CONTRACT_INVALID when a file cannot be read, is not JSON, or is not a usable contract
 */
export async function readContract(path: string): Promise<Contract> {
  let json: unknown
  try {
    json = await readJson(path)
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
  const uri = pathToFileURL(resolve(path)).href
  const documents = await readReferencedFiles(json, path, uri).catch((error: unknown) => {
    throw namedNestingError(error, path)
  })
  return loadContract(json, { source: path, uri, documents })
}

/** Returns the documents that a contract refers to, by URI. */
async function readReferencedFiles(
  json: unknown,
  path: string,
  uri: string,
): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  const draft = isJsonObject(json) ? draftOf(json['$schema']) : undefined
  // `loadContract` refuses a contract with an unknown draft.
  if (draft === undefined) return found
  const documents = [{ uri, name: '', schema: keepDraftKeywords(json, draft) as JsonSchema }]
  const paths = new Map([[uri, path]])
  const faults: JsonSchemaFault[] = []
  for (;;) {
    const references = new SchemaReferences(documents, draft)
    const next = [...references.unresolved()].find(
      ({ base, address }) => !paths.has(resolveUri(base, address)),
    )
    if (next === undefined) break
    const { document, base, address } = next
    const target = resolveUri(base, address)
    const own = references.uriOf(document.schema) ?? document.uri
    // Each target is looked up only once, whatever the outcome.
    paths.set(target, '')
    if (documents.length > FILES_MAX) {
      faults.push({ at: address, message: `expected at most ${FILES_MAX} files, got more` })
      break
    }
    try {
      const file = fileOf(address, target, own, paths.get(document.uri) ?? path)
      if (file === undefined) continue
      paths.set(target, file)
      const schema = await readJson(file)
      found.set(target, schema)
      documents.push({ uri: target, name: target, schema: keepDraftKeywords(schema, draft) as JsonSchema })
    } catch (error) {
      if (error instanceof RangeError) throw error
      faults.push({ at: address, message: messageOf(error) })
    }
  }
  if (faults.length > 0) throw invalidContractError(faults, path)
  return found
}

/**
 * Returns the path of the file that an address refers to from the document `own` in the file `from`, or `undefined`
 * when the address is not a file.
 */
function fileOf(address: string, target: string, own: string, from: string): string | undefined {
  if (target.startsWith('file:')) return fileURLToPath(target)
  if (!URL.canParse(address)) {
    // The document names itself by a URI from which no path can be derived.
    if (!URL.canParse(target)) return join(dirname(from), decodeURIComponent(address))
  }
  if (!/^https?:/.test(target) || !URL.canParse(own)) return undefined
  const { origin, pathname } = new URL(own)
  const wanted = new URL(target)
  if (wanted.origin !== origin) return undefined
  const relativePath = posix.relative(posix.dirname(pathname), wanted.pathname)
  return join(dirname(from), decodeURIComponent(relativePath))
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path)
  if (size > FILE_BYTES_MAX) throw new Error(`expected at most ${FILE_BYTES_MAX} bytes, got ${size}`)
  return JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, '')) as unknown
}
