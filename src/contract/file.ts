import { readFile, stat } from 'node:fs/promises'
import { dirname, join, posix, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { messageOf, PipelineError } from '../core/errors.ts'
import { loadContract } from './contract.ts'
import type { Contract } from './contract.ts'
import { draftOf, readable } from './json-schema/draft.ts'
import { isObject, type Fault, type JsonSchema } from './json-schema/json-schema.ts'
import { References, resolveUri } from './json-schema/references.ts'
import { contractInvalid } from './columns/to-table-schema.ts'

/** Files that one contract may refer to, also by way of others. */
const FILES_MAX = 100
/** Bytes that one of them may have. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

/**
 * The contract in the JSON Schema file at `path`, with the files that it refers to: those beside it, by relative
 * references or by what their `$id`s would be. Nothing is fetched from the network.
 * @throws KD_CONTRACT_INVALID where a file cannot be read, is not JSON, or is no usable contract.
 */
export async function readContract(path: string): Promise<Contract> {
  let json: unknown
  try {
    json = await readJson(path)
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
  const uri = pathToFileURL(resolve(path)).href
  return loadContract(json, { source: path, uri, documents: await besides(json, path, uri) })
}

/** What a contract refers to, by URI. */
async function besides(json: unknown, path: string, uri: string): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>()
  const draft = isObject(json) ? draftOf(json['$schema']) : undefined
  // Such a contract is refused as it is.
  if (draft === undefined) return found
  const documents = [{ uri, name: '', schema: readable(json, draft) as JsonSchema }]
  const paths = new Map([[uri, path]])
  const faults: Fault[] = []
  for (;;) {
    const references = new References(documents, draft)
    const next = [...references.unresolved()].find(
      ({ base, address }) => !paths.has(resolveUri(base, address)),
    )
    if (next === undefined) break
    const { document, base, address } = next
    const target = resolveUri(base, address)
    const own = references.uriOf(document.schema) ?? document.uri
    // Whatever becomes of it, it is looked for once.
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
      documents.push({ uri: target, name: target, schema: readable(schema, draft) as JsonSchema })
    } catch (error) {
      faults.push({ at: address, message: messageOf(error) })
    }
  }
  if (faults.length > 0) throw contractInvalid(faults, path)
  return found
}

/** The file that an address leads to from a document of its own name in the file `from`; `undefined` for what no file is. */
function fileOf(address: string, target: string, own: string, from: string): string | undefined {
  if (target.startsWith('file:')) return fileURLToPath(target)
  if (!URL.canParse(address)) {
    // The document calls itself something from which no path leads on.
    if (!URL.canParse(target)) return join(dirname(from), decodeURIComponent(address))
  }
  if (!/^https?:/.test(target) || !URL.canParse(own)) return undefined
  const { origin, pathname } = new URL(own)
  const wanted = new URL(target)
  if (wanted.origin !== origin) return undefined
  const way = posix.relative(posix.dirname(pathname), wanted.pathname)
  return join(dirname(from), decodeURIComponent(way))
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path)
  if (size > FILE_BYTES_MAX) throw new Error(`expected at most ${FILE_BYTES_MAX} bytes, got ${size}`)
  return JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, '')) as unknown
}
