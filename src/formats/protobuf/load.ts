import { dirname, join } from 'node:path'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'
import { messageOf } from '../../core/errors.ts'
import { withoutBom } from '../json/json-input.ts'
import type { RegisteredSchema } from '../../registry/registry.ts'
import { DISK_FILES, type SchemaFiles } from '../schema-files.ts'
import { protoSchemaError, fullNameOf, protoMessage, type ProtoMessage } from './schema.ts'
import { isProtoBuiltIn, builtInProtoJson, builtInProtoText } from './built-in-files.ts'

/** Describes a message declared in a file. Headers refer to messages and nested messages by their index. */
export interface DeclaredMessage {
  readonly name: string
  readonly nested: readonly DeclaredMessage[]
}

/** Holds the messages of one file and of the files that it imports. */
export interface ProtoFile {
  /** The messages of the file itself, in order. */
  readonly declared: readonly DeclaredMessage[]
  /**
   * Returns a message by its full name.
   * @throws KD_CONTRACT_INVALID when it does not exist, or no columns can hold it
   */
  message(name: string): ProtoMessage
}

/** Files that one file may import, directly or indirectly. */
const FILES_MAX = 1_000
/**
 * Number of folders above the file's own that are searched for imports: import paths start at the root of a source
 * tree.
 */
const FOLDERS_MAX = 20

/**
 * Reads the messages of the `.proto` file at `path`. Imports are searched for in its folder, then in the folders
 * above.
 * @throws KD_CONTRACT_INVALID
 */
export async function readProtoFile(path: string, files: SchemaFiles = DISK_FILES): Promise<ProtoFile> {
  const folders = [dirname(path)]
  while (folders.length < FOLDERS_MAX && dirname(folders.at(-1) ?? '') !== folders.at(-1))
    folders.push(dirname(folders.at(-1) ?? ''))
  const text = await files.read(path).catch((error: unknown) => {
    throw protoSchemaError(path, '', messageOf(error), error)
  })
  const texts = new Map<string, string>()
  const todo = importsOf(text, path)
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (texts.has(name) || isProtoBuiltIn(name)) continue
    if (texts.size >= FILES_MAX) throw protoSchemaError(path, '', `imports more than ${FILES_MAX} files`)
    const imported = await firstOf(
      folders.map((folder) => join(folder, name)),
      files,
    )
    if (imported === undefined && builtInProtoText(name) !== undefined) continue
    if (imported === undefined)
      throw protoSchemaError(
        path,
        '',
        `${JSON.stringify(name)} is imported, but is neither in the folder of the file nor in one above`,
      )
    texts.set(name, imported)
    todo.push(...importsOf(imported, name))
  }
  const references = [...texts].map(([name, of]) => ({ name, text: of }))
  return load({ text, references }, path)
}

/**
 * Parses the messages of a registered schema: the text of a `.proto` file, or its descriptor in base64.
 * @throws KD_CONTRACT_INVALID
 */
export function parseRegisteredProto(schema: RegisteredSchema, source: string): ProtoFile {
  if (schema.type !== 'PROTOBUF')
    throw protoSchemaError(source, '', `expected a Protobuf schema, got type ${schema.type}`)
  return load(schema, source)
}

function load(
  { text, references }: Pick<RegisteredSchema, 'text' | 'references'>,
  source: string,
): ProtoFile {
  const root = new protobuf.Root()
  const loading = new Loading(root)
  let declared: readonly DeclaredMessage[]
  try {
    for (const reference of references) loading.add(reference.name, reference.text)
    declared = loading.add(source, text)
    root.resolveAll()
  } catch (error) {
    throw protoSchemaError(source, '', messageOf(error), error)
  }
  const made = new Map<string, ProtoMessage>()
  return {
    declared,
    message(name) {
      const known = made.get(name)
      if (known !== undefined) return known
      const found = root.lookup(`.${name}`)
      if (!(found instanceof protobuf.Type))
        throw protoSchemaError(
          source,
          '',
          `there is no message ${name}; there are ${namesOf(declared).join(', ')}`,
        )
      const message = protoMessage(found, source)
      made.set(name, message)
      return message
    },
  }
}

/** Loads files into one root. Every method throws when a file is invalid. */
class Loading {
  readonly #root: protobuf.Root
  readonly #added = new Set<string>()
  /** Types of the files loaded before. */
  readonly #others = new Set<protobuf.ReflectionObject>()

  constructor(root: protobuf.Root) {
    this.#root = root
  }

  add(name: string, text: string): readonly DeclaredMessage[] {
    this.#added.add(name)
    const bytes = descriptorBytes(text)
    return bytes === undefined ? this.#addText(name, text) : this.#addDescriptor(bytes)
  }

  #addText(name: string, text: string): readonly DeclaredMessage[] {
    const { imports = [], weakImports = [], package: packageName } = parsed(text, this.#root, name)
    for (const each of [...imports, ...weakImports]) this.#addBuiltIn(each)
    const namespace = packageName === undefined ? this.#root : this.#root.lookup(packageName)
    if (!(namespace instanceof protobuf.Namespace)) return []
    const declared = declaredMessagesOf(namespace, (type) => !this.#others.has(type))
    for (const type of namespace.nestedArray) this.#others.add(type)
    return declared
  }

  #addDescriptor(bytes: Uint8Array): readonly DeclaredMessage[] {
    const file = FILE.decode(bytes) as unknown as FileDescriptor
    for (const each of file.dependency ?? []) this.#addBuiltIn(each)
    const context = {
      edition: editionOf(file),
      keepCase: true,
      ...(file.options?.features === undefined ? {} : { features: file.options.features }),
    }
    const namespace =
      file.package === undefined || file.package === '' ? this.#root : this.#root.define(file.package)
    for (const type of file.messageType ?? [])
      namespace.add(protobuf.Type.fromDescriptor(type as never, context))
    for (const type of file.enumType ?? []) namespace.add(protobuf.Enum.fromDescriptor(type, context))
    return declaredMessagesOfDescriptors(file.messageType ?? [], fullNameOf(namespace))
  }

  #addBuiltIn(name: string): void {
    if (this.#added.has(name)) return
    this.#added.add(name)
    const json = builtInProtoJson(name)
    if (json !== undefined) this.#root.addJSON(json)
    const text = builtInProtoText(name)
    if (text !== undefined) this.#addText(name, text)
  }
}

/** The parts of a file descriptor that are used. */
interface FileDescriptor {
  readonly package?: string
  readonly dependency?: readonly string[]
  readonly syntax?: string
  readonly edition?: number
  readonly options?: { readonly features?: object } | null
  readonly messageType?: readonly MessageDescriptor[]
  readonly enumType?: readonly object[]
}
interface MessageDescriptor {
  readonly name: string
  readonly nestedType?: readonly MessageDescriptor[]
}

const FILE = (descriptor as unknown as { readonly FileDescriptorProto: protobuf.Type }).FileDescriptorProto

function editionOf({ syntax, edition }: FileDescriptor): string {
  if (syntax !== 'editions') return syntax === 'proto3' ? 'proto3' : 'proto2'
  if (edition === 1000) return '2023'
  if (edition === 1001) return '2024'
  throw new Error(`the edition ${edition ?? 'without a number'} is not supported`)
}

/** Returns the bytes of a schema that is registered as a descriptor in base64, as the Python client does. */
function descriptorBytes(text: string): Uint8Array | undefined {
  const compact = text.trim()
  // A `.proto` file always contains a space or a semicolon.
  return compact !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(compact) ? Buffer.from(compact, 'base64') : undefined
}

function parsed(text: string, root: protobuf.Root, name: string): protobuf.IParserResult {
  try {
    return protobuf.parse(withoutBom(text), root, { keepCase: true })
  } catch (error) {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error })
  }
}

function importsOf(text: string, name: string): string[] {
  try {
    const { imports = [], weakImports = [] } = protobuf.parse(withoutBom(text), new protobuf.Root(), {
      keepCase: true,
    })
    return [...imports, ...weakImports]
  } catch (error) {
    throw protoSchemaError(name, '', messageOf(error), error)
  }
}

function declaredMessagesOf(
  namespace: protobuf.NamespaceBase,
  isOurs: (type: protobuf.Type) => boolean,
): readonly DeclaredMessage[] {
  return namespace.nestedArray
    .filter((each) => each instanceof protobuf.Type)
    .filter(isOurs)
    .map((type) => ({ name: fullNameOf(type), nested: declaredMessagesOf(type, () => true) }))
}

/** Uses the indexes of the compiler, which also counts the generated messages of map entries. */
function declaredMessagesOfDescriptors(
  types: readonly MessageDescriptor[],
  outer: string,
): readonly DeclaredMessage[] {
  return types.map((type) => {
    const name = outer === '' ? type.name : `${outer}.${type.name}`
    return { name, nested: declaredMessagesOfDescriptors(type.nestedType ?? [], name) }
  })
}

/** Returns the names of messages, nested ones after their parent. */
function namesOf(declared: readonly DeclaredMessage[]): string[] {
  return declared.flatMap(({ name, nested }) => [name, ...namesOf(nested)])
}

async function firstOf(paths: readonly string[], files: SchemaFiles): Promise<string | undefined> {
  for (const path of paths) {
    try {
      return await files.read(path)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw protoSchemaError(path, '', messageOf(error), error)
    }
  }
  return undefined
}
