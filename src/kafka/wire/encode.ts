import { defaultOf, isArrayType } from './decode.ts'
import {
  type FieldTable,
  includesVersion,
  type WireField,
  type WireType,
  type WrittenFields,
} from './schema.ts'
import { unwritableMessageError, WireWriter } from './wire-writer.ts'

/** Writes one value of a message. */
type WriteStep = (writer: WireWriter, value: unknown) => void

interface VersionForm {
  readonly version: number
  readonly isFlexible: boolean
  /** True to leave out values that the version cannot carry, as a broker does that answers an older client. */
  readonly leavesOut?: boolean
}

/**
 * Compiles a function that writes the structure `table` in one version; omitted fields are written with their defaults.
 * The function throws KD_SOURCE_FAILED if the version cannot carry the value of a field, unless such values are left out.
 */
export function compileWriter<T extends FieldTable>(
  table: T,
  form: VersionForm,
): (writer: WireWriter, value: WrittenFields<T>) => void {
  return structureStep(table, form)
}

/** Encodes one structure. */
export function encodeStructure<T>(write: (writer: WireWriter, value: T) => void, value: T): Buffer {
  const writer = new WireWriter()
  write(writer, value)
  return writer.toBuffer()
}

function structureStep(table: FieldTable, form: VersionForm): WriteStep {
  const fields = Object.entries(table)
  const plain = fields.filter(
    ([, { tag, versions }]) => tag === undefined && includesVersion(versions, form.version),
  )
  const tagged = fields.filter(
    ([, { tag, versions }]) => tag !== undefined && includesVersion(versions, form.version),
  )
  const unsupported = fields.filter(
    ([, { versions, ignorable }]) =>
      form.leavesOut !== true && !includesVersion(versions, form.version) && ignorable !== true,
  )
  const steps = plain.map(([name, field]) => [name, defaultOf(field), fieldStep(name, field, form)] as const)
  const taggedSteps = tagged
    .map(([name, field]) => [name, field, fieldStep(name, field, form)] as const)
    .sort(([, a], [, b]) => (a.tag as number) - (b.tag as number))
  return (writer, value) => {
    const values = value as Readonly<Record<string, unknown>>
    for (const [name, field] of unsupported) {
      if (!isDefault(field, values[name])) {
        throw unwritableMessageError(`${name} has a value that version ${form.version} cannot carry`)
      }
    }
    for (const [name, absent, step] of steps) {
      const own = values[name]
      step(writer, own === undefined ? absent : own)
    }
    if (form.isFlexible) writeTagged(writer, taggedSteps, values)
  }
}

/** Writes the tagged fields; omits those with default values. */
function writeTagged(
  writer: WireWriter,
  tagged: readonly (readonly [name: string, field: WireField, step: WriteStep])[],
  values: Readonly<Record<string, unknown>>,
): void {
  const given = tagged.filter(([name, field]) => !isDefault(field, values[name]))
  writer.uvarint(given.length)
  for (const [name, { tag }, step] of given) {
    const inner = new WireWriter(64)
    step(inner, values[name])
    writer.uvarint(tag as number)
    writer.uvarint(inner.length)
    writer.raw(inner.toBuffer())
  }
}

function fieldStep(name: string, field: WireField, form: VersionForm): WriteStep {
  const isNullable = includesVersion(field.nullable, form.version)
  const { type } = field
  if (isArrayType(type))
    return orNull(name, isNullable, lengthStep(form, INT32), arrayStep(name, type[0], form))
  if (type === 'string') return orNull(name, isNullable, lengthStep(form, INT16), stringStep(name, form))
  if (type === 'bytes' || type === 'records') {
    return orNull(name, isNullable, lengthStep(form, INT32), bytesStep(form))
  }
  if (typeof type === 'string') return (writer, value) => writer[type](value as never)
  const step = structureStep(type, form)
  if (!isNullable) return step
  return (writer, value) => {
    writer.int8(value === null ? -1 : 1)
    if (value !== null) step(writer, value)
  }
}

function orNull(name: string, isNullable: boolean, length: LengthStep, step: WriteStep): WriteStep {
  return (writer, value) => {
    if (value !== null) step(writer, value)
    else if (isNullable) length(writer, -1)
    else throw unwritableMessageError(`${name} must not be null`)
  }
}

function arrayStep(
  name: string,
  element: Exclude<WireType, readonly unknown[]>,
  form: VersionForm,
): WriteStep {
  const step = fieldStep(name, { type: element, versions: '0+' }, form)
  const length = lengthStep(form, INT32)
  return (writer, value) => {
    const values = value as readonly unknown[]
    length(writer, values.length)
    for (const one of values) step(writer, one)
  }
}

const SHORT_MAX = 0x7fff

function stringStep(name: string, form: VersionForm): WriteStep {
  const length = lengthStep(form, INT16)
  return (writer, value) => {
    const bytes = Buffer.from(value as string)
    if (bytes.length > SHORT_MAX)
      throw unwritableMessageError(`${name} must have at most ${SHORT_MAX} bytes, got ${bytes.length}`)
    length(writer, bytes.length)
    writer.raw(bytes)
  }
}

function bytesStep(form: VersionForm): WriteStep {
  const length = lengthStep(form, INT32)
  return (writer, value) => {
    const bytes = value as Uint8Array
    length(writer, bytes.length)
    writer.raw(bytes)
  }
}

type LengthStep = (writer: WireWriter, length: number) => void

const INT16: LengthStep = (writer, length) => {
  writer.int16(length)
}
const INT32: LengthStep = (writer, length) => {
  writer.int32(length)
}
const COMPACT: LengthStep = (writer, length) => {
  writer.uvarint(length + 1)
}

function lengthStep({ isFlexible }: VersionForm, plain: LengthStep): LengthStep {
  return isFlexible ? COMPACT : plain
}

/** Returns whether a value is the default of its field, so that it may be omitted. */
function isDefault(field: WireField, value: unknown): boolean {
  if (value === undefined) return true
  const { type, default: own } = field
  if (value === null || own !== undefined) return value === own
  if (isArrayType(type)) return (value as readonly unknown[]).length === 0
  if (typeof type === 'object') {
    return Object.entries(type).every(([name, inner]) =>
      isDefault(inner, (value as Readonly<Record<string, unknown>>)[name]),
    )
  }
  if (value instanceof Uint8Array) return value.length === 0
  return value === defaultOf(field)
}
