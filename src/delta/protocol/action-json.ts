import { parse, stringify } from 'lossless-json'
import { PipelineError } from '../../core/errors.ts'
import type { Action, Add, DomainMetadata, MetadataAction, Protocol, Remove, Txn } from './actions.ts'
import {
  asBoolean,
  asLong,
  asNullableTextMap,
  asObject,
  asSafeInteger,
  asString,
  asStrings,
  asTextMap,
  JsonFields,
} from './fields.ts'

/**
 * Parses one line of a commit; returns `undefined` for an unknown action, which readers must ignore. Whole numbers
 * beyond 2^53 are exact. Spec: "Delta Log Entries", "Protocol Evolution".
 * @throws TypeError or SyntaxError if the line is not an action
 */
export function parseAction(line: string): Action | undefined {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('an action must be a JSON object')
  }
  for (const [kind, body] of Object.entries(value)) {
    const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined
    if (read !== undefined && body !== null) return read(body)
  }
  return undefined
}

/** Parses JSON; whole numbers beyond 2^53 become `bigint`. */
export function parseJson(text: string): unknown {
  // JSON.parse is an order of magnitude faster, and it is exact below 16 digits, which covers nearly every line of a
  // log.
  if (!/[0-9]{16}/.test(text)) return JSON.parse(text)
  return parse(text, undefined, (digits) => {
    const number = Number(digits)
    return !Number.isSafeInteger(number) && /^-?\d+$/.test(digits) ? BigInt(digits) : number
  })
}

/**
 * Serialises actions as the bytes of a commit: one JSON document per line. Spec: "Delta Log Entries".
 * @throws KD_COMMAND_INVALID for text that is not well-formed Unicode
 */
export function serialiseActions(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${serialiseAction(action)}\n`).join(''))
}

/**
 * Serialises one action as a line without its line end.
 * @throws KD_COMMAND_INVALID for text that is not well-formed Unicode
 */
export function serialiseAction(action: Action): string {
  const body: unknown = (action as unknown as Record<string, unknown>)[action.kind]
  const text = stringify({ [action.kind]: body })
  if (text === undefined) throw new TypeError(`The action ${action.kind} has no JSON form`)
  if (
    isWellFormedJson(text) &&
    (action.kind !== 'metaData' || isWellFormedJson(action.metaData.schemaString))
  )
    return text
  const detail = `the action ${action.kind} contains half of a surrogate pair. Other readers refuse such text and could not open the table`
  throw new PipelineError('KD_COMMAND_INVALID', detail)
}

/** Returns whether all text in a JSON document, names included, is well-formed Unicode. */
export function isWellFormedJson(json: string): boolean {
  // JSON names half of a surrogate pair by an escape. Both halves as escapes are a character.
  if (!/\\ud[89a-f]/i.test(json)) return json.isWellFormed()
  let isWellFormed = json.isWellFormed()
  JSON.parse(json, (name, value: unknown) => {
    if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) isWellFormed = false
    return value
  })
  return isWellFormed
}

/**
 * Reads the action of type `kind` from the body that a JSON line or a checkpoint row holds for it; returns `undefined`
 * for an unknown kind.
 */
export function readAction(kind: string, body: unknown): Action | undefined {
  return Object.hasOwn(READERS, kind) ? READERS[kind]?.(body) : undefined
}

const READERS: Readonly<Record<string, (body: unknown) => Action>> = {
  add: (body) => ({ kind: 'add', add: readAdd(new JsonFields(body, 'add')) }),
  remove: (body) => ({ kind: 'remove', remove: readRemove(new JsonFields(body, 'remove')) }),
  txn: (body) => ({ kind: 'txn', txn: readTxn(new JsonFields(body, 'txn')) }),
  metaData: (body) => ({ kind: 'metaData', metaData: readMetadata(new JsonFields(body, 'metaData')) }),
  protocol: (body) => ({ kind: 'protocol', protocol: readProtocol(new JsonFields(body, 'protocol')) }),
  domainMetadata: (body) => ({
    kind: 'domainMetadata',
    domainMetadata: readDomainMetadata(new JsonFields(body, 'domainMetadata')),
  }),
  commitInfo: (body) => ({
    kind: 'commitInfo',
    commitInfo: new JsonFields({ commitInfo: body }, 'commitInfo').required('commitInfo', asObject),
  }),
}

function readAdd(fields: JsonFields): Add {
  return defined({
    path: fields.required('path', asString),
    partitionValues: fields.required('partitionValues', asNullableTextMap),
    size: fields.required('size', asSafeInteger),
    modificationTime: fields.required('modificationTime', asSafeInteger),
    dataChange: fields.required('dataChange', asBoolean),
    stats: fields.optional('stats', asString),
    tags: fields.optional('tags', asNullableTextMap),
    deletionVector: fields.optional('deletionVector', asObject),
    baseRowId: fields.optional('baseRowId', asLong),
    defaultRowCommitVersion: fields.optional('defaultRowCommitVersion', asLong),
    clusteringProvider: fields.optional('clusteringProvider', asString),
  })
}

function readRemove(fields: JsonFields): Remove {
  return defined({
    path: fields.required('path', asString),
    deletionTimestamp: fields.optional('deletionTimestamp', asSafeInteger),
    dataChange: fields.required('dataChange', asBoolean),
    extendedFileMetadata: fields.optional('extendedFileMetadata', asBoolean),
    partitionValues: fields.optional('partitionValues', asNullableTextMap),
    size: fields.optional('size', asSafeInteger),
    deletionVector: fields.optional('deletionVector', asObject),
    baseRowId: fields.optional('baseRowId', asLong),
    defaultRowCommitVersion: fields.optional('defaultRowCommitVersion', asLong),
  })
}

function readTxn(fields: JsonFields): Txn {
  return defined({
    appId: fields.required('appId', asString),
    version: fields.required('version', asLong),
    lastUpdated: fields.optional('lastUpdated', asSafeInteger),
  })
}

function readMetadata(fields: JsonFields): MetadataAction {
  return defined({
    id: fields.required('id', asString),
    name: fields.optional('name', asString),
    description: fields.optional('description', asString),
    format: fields.required('format', readFormat),
    schemaString: fields.required('schemaString', asString),
    partitionColumns: fields.required('partitionColumns', asStrings),
    configuration: fields.optional('configuration', asTextMap) ?? {},
    createdTime: fields.optional('createdTime', asSafeInteger),
  })
}

function readFormat(value: unknown): MetadataAction['format'] {
  const fields = new JsonFields(value, 'metaData.format')
  return {
    provider: fields.required('provider', asString),
    options: fields.optional('options', asTextMap) ?? {},
  }
}

function readProtocol(fields: JsonFields): Protocol {
  return defined({
    minReaderVersion: fields.required('minReaderVersion', asSafeInteger),
    minWriterVersion: fields.required('minWriterVersion', asSafeInteger),
    readerFeatures: fields.optional('readerFeatures', asStrings),
    writerFeatures: fields.optional('writerFeatures', asStrings),
  })
}

function readDomainMetadata(fields: JsonFields): DomainMetadata {
  return {
    domain: fields.required('domain', asString),
    configuration: fields.required('configuration', asString),
    removed: fields.required('removed', asBoolean),
  }
}

/** Removes fields that are `undefined` from a type: in the log, an absent field is not written. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function defined<T extends object>(value: T): Defined<T> {
  const kept: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) if (item !== undefined) kept[key] = item
  return kept as Defined<T>
}
