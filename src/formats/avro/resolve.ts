import { messageOf, PipelineError } from '../../core/errors.ts'
import { isEmptyRecord, nonNullBranches, unionMemberName } from './columns.ts'
import { avroDefaultValue } from './default.ts'
import {
  arrayReader,
  avroReader,
  AvroReaders,
  bytesMinOf,
  enumReader,
  mapReader,
  presenceReader,
  unionMemberReader,
  recordReader,
  recursiveReader,
  unionReader,
  type AvroReader,
} from './read.ts'
import type { AvroEnum, AvroField, AvroLogical, AvroNode, AvroRecord } from './schema.ts'
import { bytesConverter, intConverter, isTimestamp, isZoned, longConverter } from './values.ts'

/**
 * Returns a reader for values of the schema `writer` that yields what `reader` describes, following Avro's schema
 * resolution: fields by name or alias, defaults for missing fields, wider numbers, strings for bytes and bytes for
 * strings, the default of an enum, the first matching branch of a union. It differs in two points: a timestamp of
 * another unit is converted, and a decimal of another scale keeps its value, where Avro would reinterpret the bare
 * number. Avro specification: "Schema Resolution".
 * @throws KD_CONTRACT_INVALID with the path where no value of the writer can become one of the reader
 */
export function resolvingReader(writer: AvroNode, reader: AvroNode): AvroReader {
  try {
    return new Resolution().resolve(writer, reader, '')
  } catch (error) {
    if (!(error instanceof UnresolvableSchemas)) throw error
    throw new PipelineError(
      'KD_CONTRACT_INVALID',
      `the writer's schema does not fit avro.readerSchema: ${error.message}`,
    )
  }
}

/**
 * Checks that every default of a reader's schema fits its type.
 * @throws KD_CONTRACT_INVALID with the field
 */
export function checkDefaults(schema: AvroNode, source: string): void {
  const seen = new Set<AvroNode>()
  const todo: { node: AvroNode; at: string }[] = [{ node: schema, at: '' }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { node, at } = next
    if (seen.has(node)) continue
    seen.add(node)
    if (node.kind === 'array') todo.push({ node: node.items, at: `${at}/items` })
    else if (node.kind === 'map') todo.push({ node: node.values, at: `${at}/values` })
    else if (node.kind === 'union')
      todo.push(...node.branches.map((branch, i) => ({ node: branch, at: `${at}/${i}` })))
    else if (node.kind === 'record') {
      for (const field of node.fields) {
        const path = `${at}/${field.name}`
        todo.push({ node: field.node, at: path })
        try {
          if (field.default !== undefined) avroDefaultValue(field.node, field.default.json)
        } catch (error) {
          throw new PipelineError('KD_CONTRACT_INVALID', `${path}: its default: ${messageOf(error)}`, {
            source,
          })
        }
      }
    }
  }
}

/** Thrown when two schemas can never be resolved. */
class UnresolvableSchemas extends Error {}

/** Resolves one schema to another. A pair of record types has one reader, which may call itself. */
class Resolution {
  readonly #plain = new AvroReaders()
  readonly #skipped = new AvroReaders(true)
  readonly #made = new Map<AvroNode, Map<AvroNode, AvroReader>>()
  /** The pairs that are being resolved, and their depth. */
  readonly #open = new Map<AvroNode, Map<AvroNode, number>>()

  resolve(writer: AvroNode, reader: AvroNode, at: string): AvroReader {
    if (writer === reader) return at === '' ? avroReader(writer) : this.#plain.of(writer, depthOf(at))
    if (writer.kind === 'union') return this.#fromUnion(writer.branches, reader, at)
    if (reader.kind === 'union') return this.#intoUnion(writer, reader.branches, at)
    switch (reader.kind) {
      case 'record':
        if (writer.kind === 'record' && sameName(writer, reader)) return this.#pair(writer, reader, at)
        break
      case 'enum':
        if (writer.kind === 'enum' && sameName(writer, reader)) return resolveEnum(writer, reader)
        break
      case 'array':
        if (writer.kind === 'array')
          return arrayReader(
            this.resolve(writer.items, reader.items, `${at}/items`),
            bytesMinOf(writer.items),
          )
        break
      case 'map':
        if (writer.kind === 'map')
          return mapReader(this.resolve(writer.values, reader.values, `${at}/values`))
        break
      case 'fixed':
        if (writer.kind === 'fixed' && writer.size === reader.size && sameName(writer, reader)) {
          const valueOf = bytesConverter(logicalOf(writer.logical, reader.logical, at))
          const { size } = writer
          return (cursor) => valueOf(cursor.take(size))
        }
        break
      default: {
        const read = promotingReader(writer, reader, at)
        if (read !== undefined) return read
      }
    }
    throw mismatch(writer, reader, at)
  }

  #pair(writer: AvroRecord, reader: AvroRecord, at: string): AvroReader {
    const made = this.#made.get(writer)?.get(reader)
    if (made !== undefined) return made
    const depth = depthOf(at)
    const outer = this.#open.get(writer)?.get(reader)
    if (outer !== undefined)
      return recursiveReader(() => this.#made.get(writer)?.get(reader), Math.max(depth - outer, 1))
    innerMap(this.#open, writer).set(reader, depth)
    try {
      const read = this.#record(writer, reader, at)
      innerMap(this.#made, writer).set(reader, read)
      return read
    } finally {
      this.#open.get(writer)?.delete(reader)
    }
  }

  #record(writer: AvroRecord, reader: AvroRecord, at: string): AvroReader {
    const wanted = new Map<AvroField, AvroField>()
    const absent: [string, () => unknown][] = []
    for (const field of reader.fields) {
      const source = sourceOf(field, writer)
      if (source !== undefined) {
        if (wanted.has(source))
          throw new UnresolvableSchemas(`${at}/${source.name}: two fields of the reader match it`)
        wanted.set(source, field)
      } else if (field.default !== undefined) {
        const {
          node,
          default: { json },
        } = field
        absent.push([field.name, () => avroDefaultValue(node, json)])
      } else {
        throw new UnresolvableSchemas(
          `${at}/${field.name}: expected in the writer's ${writer.name}, or with a default, got neither`,
        )
      }
    }
    const fields = writer.fields.map((field): readonly [string | undefined, AvroReader] => {
      const into = wanted.get(field)
      const path = `${at}/${field.name}`
      // Parts that nobody asks for are read all the same, because only reading them finds their end.
      if (into === undefined) return [undefined, this.#skipped.of(field.node, depthOf(path))]
      return [into.name, this.resolve(field.node, into.node, `${at}/${into.name}`)]
    })
    const read = recordReader(fields, absent)
    return at === '' || !isEmptyRecord(reader) ? read : presenceReader(read)
  }

  /**
   * A branch of the writer that cannot be resolved is refused when a value has it. When no branch can be resolved, the
   * union is refused at once.
   */
  #fromUnion(branches: readonly AvroNode[], reader: AvroNode, at: string): AvroReader {
    const faults: UnresolvableSchemas[] = []
    const readers = branches.map((branch): AvroReader => {
      try {
        return this.resolve(branch, reader, at)
      } catch (error) {
        if (!(error instanceof UnresolvableSchemas)) throw error
        faults.push(error)
        return () => {
          throw new Error(error.message)
        }
      }
    })
    if (faults.length === branches.length) throw faults[0] as UnresolvableSchemas
    return unionReader(readers)
  }

  /** Resolves to the same branch of the reader, otherwise to the first that matches. */
  #intoUnion(writer: AvroNode, branches: readonly AvroNode[], at: string): AvroReader {
    const members = nonNullBranches(branches)
    let fault: UnresolvableSchemas | undefined
    for (const branch of branchesInOrder(writer, branches)) {
      try {
        const read = this.resolve(writer, branch, at)
        if (branch.kind === 'null' || members.length === 1) return read
        return unionMemberReader(unionMemberName(members.indexOf(branch)), read)
      } catch (error) {
        if (!(error instanceof UnresolvableSchemas)) throw error
        fault ??= branches.length > 2 ? undefined : branch.kind === 'null' ? undefined : error
      }
    }
    throw (
      fault ??
      new UnresolvableSchemas(
        `${placeOf(at)}expected one of ${branches.map(shown).join(', ')}, got ${shown(writer)}`,
      )
    )
  }
}

/** Returns the branches of a reader's union in the order in which they are tried: first those of the same type. */
function branchesInOrder(writer: AvroNode, branches: readonly AvroNode[]): readonly AvroNode[] {
  const same = (branch: AvroNode): boolean =>
    branch.kind === writer.kind && (!('name' in branch) || !('name' in writer) || branch.name === writer.name)
  return [...branches.filter(same), ...branches.filter((branch) => !same(branch))]
}

/** Returns true when values of `writer` that are no union can be read as `reader`. */
export function canResolve(writer: AvroNode, reader: AvroNode): boolean {
  try {
    new Resolution().resolve(writer, reader, '/')
    return true
  } catch (error) {
    if (error instanceof UnresolvableSchemas) return false
    throw error
  }
}

/** Returns the branch of a reader's union that values of `writer` become, or `undefined` when there is none. */
export function resolvedBranch(writer: AvroNode, branches: readonly AvroNode[]): AvroNode | undefined {
  return branchesInOrder(writer, branches).find((branch) => canResolve(writer, branch))
}

/** Returns the logical type with which values of types that can be resolved are read. */
export function resolvedLogical(
  writer: AvroLogical | undefined,
  reader: AvroLogical | undefined,
  kind: AvroNode['kind'],
): AvroLogical | undefined {
  return LOGICAL_KINDS.has(kind) ? logicalOf(writer, reader, '') : undefined
}

const LOGICAL_KINDS: ReadonlySet<AvroNode['kind']> = new Set(['int', 'long', 'bytes', 'fixed'])

/** Returns the symbols of a writer's enum as the reader has them; undefined for those that it refuses. */
export function resolvedSymbols(writer: AvroEnum, reader: AvroEnum): readonly (string | undefined)[] {
  return writer.symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default))
}

function innerMap<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = maps.get(key)
  if (found === undefined) maps.set(key, (found = new Map<L, V>()))
  return found
}

/** Returns the number of steps of a path. */
function depthOf(at: string): number {
  return at.split('/').length - 1
}

type Reads = (writer: AvroNode, reader: Primitive, at: string) => AvroReader | undefined
type Primitive = Extract<AvroNode, { readonly logical?: AvroLogical }>

/** Returns a reader that promotes a primitive of the writer to one of the reader, if Avro allows it. */
const promotingReader: Reads = (writer, reader, at) => {
  const number = writer.kind === 'int' || writer.kind === 'long'
  switch (reader.kind) {
    case 'int': {
      if (writer.kind !== 'int') return undefined
      const valueOf = intConverter(logicalOf(writer.logical, reader.logical, at))
      return (cursor) => valueOf(cursor.int())
    }
    case 'long': {
      if (!number) return undefined
      const valueOf = longConverter(logicalOf(writer.logical, reader.logical, at))
      return writer.kind === 'int' ? (cursor) => valueOf(cursor.int()) : (cursor) => valueOf(cursor.long())
    }
    case 'float':
      if (writer.kind === 'float') return avroReader(writer)
      return number ? (cursor) => Math.fround(Number(cursor.long())) : undefined
    case 'double':
      if (writer.kind === 'float' || writer.kind === 'double') return avroReader(writer)
      return number ? (cursor) => Number(cursor.long()) : undefined
    case 'string':
      return writer.kind === 'string' || writer.kind === 'bytes' ? (cursor) => cursor.string() : undefined
    case 'bytes': {
      if (writer.kind !== 'string' && writer.kind !== 'bytes') return undefined
      const valueOf = bytesConverter(logicalOf(writer.logical, reader.logical, at))
      return (cursor) => valueOf(cursor.bytes())
    }
    default:
      return writer.kind === reader.kind ? avroReader(writer) : undefined
  }
}

/** Returns the logical type of the result: the reader decides the meaning, the writer the unit and the scale. */
function logicalOf(
  writer: AvroLogical | undefined,
  reader: AvroLogical | undefined,
  at: string,
): AvroLogical | undefined {
  if (writer === undefined || reader === undefined || writer.name === reader.name)
    return reader && (writer ?? reader)
  if (isTimestamp(writer) && isTimestamp(reader) && isZoned(writer) === isZoned(reader)) return writer
  throw new UnresolvableSchemas(`${placeOf(at)}expected ${reader.name}, got ${writer.name}`)
}

/** Returns the field of a writer's record that a field of the reader reads. */
export function sourceOf({ name, aliases = [] }: AvroField, { fields }: AvroRecord): AvroField | undefined {
  return fields.find((field) => field.name === name) ?? fields.find((field) => aliases.includes(field.name))
}

function resolveEnum(writer: AvroEnum, reader: AvroEnum): AvroReader {
  return enumReader(resolvedSymbols(writer, reader))
}

/** Compares the last part of the names, as Avro does, including the aliases of the reader. */
function sameName(
  writer: { readonly name: string },
  reader: AvroNode & { readonly name: string; readonly aliases?: readonly string[] },
): boolean {
  const name = shortOf(writer.name)
  return name === shortOf(reader.name) || (reader.aliases ?? []).some((alias) => shortOf(alias) === name)
}

function shortOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function mismatch(writer: AvroNode, reader: AvroNode, at: string): UnresolvableSchemas {
  return new UnresolvableSchemas(`${placeOf(at)}expected ${shown(reader)}, got ${shown(writer)}`)
}

function placeOf(at: string): string {
  return at === '' ? '' : `${at}: `
}

function shown(node: AvroNode): string {
  return 'name' in node
    ? `${node.kind} ${node.name}${node.kind === 'fixed' ? ` of ${node.size} bytes` : ''}`
    : node.kind
}
