import type { AnyBuilder, ListBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'
import type { PlainContract, PlainValue } from '../../../contract/columns/plain.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../../format.ts'
import { isEmptyRecord, nonNullBranches, unionMemberName } from '../columns.ts'
import { bytesMinOf, type ReaderSchemas } from '../read.ts'
import { canResolve, resolvedBranch, resolvedLogical, resolvedSymbols, sourceOf } from '../resolve.ts'
import type { AvroNode, AvroRecord } from '../schema.ts'
import { contractFault, fieldsOf, isScalar } from './record-fields.ts'
import { assignColumns } from './assign.ts'
import { constantOf } from './constant.ts'
import { KeySet } from './key-set.ts'
import { refusedPlan, type AvroPlan, type DroppedFields } from './plan.ts'
import { enumPlan, hasContractType, scalarPlan } from './scalar-plan.ts'
import { isNeverSkipped, SKIP_NOTHING, skipNever, skipNull, skipPlanOf, type SkipPlan } from './skip.ts'

/** Limit of the parts of one plan, each type counted wherever it is used. */
const PARTS_MAX = 10_000
const REASONS_MAX = 100

/** Describes where a value goes. */
interface Target {
  readonly builder: AnyBuilder
  readonly nullable: boolean
  readonly plain: PlainValue | undefined
  /** Names from the row down, joined by dots; `element` and `value` stand for the contents of arrays and maps. */
  readonly path: string
}

/** Thrown when a schema has more parts than a plan may have. */
class TooManyParts extends Error {}

/** Compiles the schemas of a reader into a plan that fills the columns of `builder`. */
export class PlanCompiler {
  readonly reasons: ObjectReason[] = []
  readonly #options: FormatOptions
  readonly #isIngest: boolean
  readonly #isChecked: boolean
  /** True when messages are fitted to the columns, and not only checked by a contract. */
  readonly #isCoerced: boolean
  readonly #open = new Set<AvroNode>()
  #parts = 0

  /** With `isChecked`, rows are checked later, so that they must show all that a contract may ask for. */
  constructor(options: FormatOptions, isIngest: boolean, isChecked: boolean) {
    this.#options = options
    this.#isChecked = isChecked
    this.#isCoerced = (options.unknownFields ?? 'skip') !== 'skip'
    this.#isIngest = isIngest
  }

  /** Returns the plan of the rows; it is refused when no record can be read by it. */
  rows({ writer, reader }: ReaderSchemas, builder: StructBuilder): AvroPlan {
    const { plain } = this.#options
    if (writer.kind !== 'record' || reader.kind !== 'record' || plain === undefined)
      return refusedPlan('path')
    try {
      this.#open.add(writer)
      return this.#record(writer, reader, builder, plain, '')
    } catch (error) {
      if (!(error instanceof TooManyParts)) throw error
      return this.#refuse('path', '', `the schema has more than ${PARTS_MAX} nested types`)
    }
  }

  #count(): void {
    if (++this.#parts > PARTS_MAX) throw new TooManyParts()
  }

  #refuse(reason: SlowReason, path: string, message: string): AvroPlan {
    const subject = path === '' ? 'columns' : `columns.${path}`
    if (this.reasons.length < REASONS_MAX) this.reasons.push({ subject, reason: message })
    return refusedPlan(reason)
  }

  #value(writer: AvroNode, reader: AvroNode, target: Target): AvroPlan {
    this.#count()
    if (writer.kind === 'union') return this.#union(writer.branches, writer === reader, reader, target)
    if (reader.kind === 'union') return this.#intoUnion(writer, reader.branches, target)
    return this.#branchless(writer, reader, target)
  }

  /** Compiles types that are no unions. */
  #branchless(writer: AvroNode, reader: AvroNode, target: Target): AvroPlan {
    const { builder, plain, path } = target
    switch (reader.kind) {
      case 'null':
        return target.nullable ? { kind: 'null', builder, rules: undefined } : refusedPlan('value')
      case 'record':
        if (writer.kind === 'record') return this.#nested(writer, reader, target)
        break
      case 'array':
        if (writer.kind === 'array' && builder.kind === 'list' && hasContractType(plain, 'array'))
          return this.#list(writer.items, reader.items, builder, target)
        break
      case 'map':
        if (writer.kind === 'map' && builder.kind === 'map' && hasContractType(plain, 'object'))
          return this.#map(writer.values, reader.values, builder, target)
        break
      case 'enum':
        if (writer.kind === 'enum') {
          const symbols = writer === reader ? writer.symbols : resolvedSymbols(writer, reader)
          return enumPlan(symbols, builder, plain) ?? this.#unsupported(writer, target)
        }
        break
      default: {
        const plan = this.#scalar(writer, reader, target)
        if (plan !== undefined) return plan
      }
    }
    return this.#unsupported(writer, target, path)
  }

  #unsupported(node: AvroNode, { builder, path }: Target, at = path): AvroPlan {
    const type = typeof builder.type === 'string' ? builder.type : builder.type.type
    const logical = isScalar(node) && node.logical !== undefined ? ` (${node.logical.name})` : ''
    return this.#refuse('path', at, `Avro ${node.kind}${logical} becomes ${type} only through objects`)
  }

  #scalar(writer: AvroNode, reader: AvroNode, { builder, plain }: Target): AvroPlan | undefined {
    if (!isScalar(writer) || !isScalar(reader)) return undefined
    const { type } = builder
    // Their text in the message has no zone, which the rules for columns do not know.
    if (this.#isChecked && type === 'timestamp_ntz') return undefined
    const logical =
      writer === reader ? writer.logical : resolvedLogical(writer.logical, reader.logical, reader.kind)
    const types = {
      writer: writer.kind,
      reader: reader.kind,
      size: writer.kind === 'fixed' ? writer.size : -1,
      logical,
      isIngest: this.#isIngest && this.#isCoerced,
    }
    return scalarPlan(types, builder, plain)
  }

  /** Compiles the branches that the writer may choose, each with what the reader makes of it. */
  #union(branches: readonly AvroNode[], isSame: boolean, reader: AvroNode, target: Target): AvroPlan {
    const members = nonNullBranches(branches)
    const plans = branches.map((branch): AvroPlan => {
      if (isSame) return this.#member(branch, branch, members, target)
      return canResolve(branch, reader) ? this.#value(branch, reader, target) : refusedPlan('value')
    })
    // Null alone is no reason to read the records in this way.
    const useful = plans.filter((_, i) => branches[i]?.kind !== 'null')
    const refused = useful.find(({ kind }) => kind === 'refused')
    if (refused !== undefined && plans.every(({ kind }) => kind === 'refused')) return refused
    return { kind: 'union', builder: target.builder, rules: plans }
  }

  #intoUnion(writer: AvroNode, branches: readonly AvroNode[], target: Target): AvroPlan {
    const branch = resolvedBranch(writer, branches)
    if (branch === undefined) return refusedPlan('value')
    return this.#member(writer, branch, nonNullBranches(branches), target)
  }

  /** Compiles one branch of a union: the value itself, or a struct that names it when there are several. */
  #member(writer: AvroNode, branch: AvroNode, members: readonly AvroNode[], target: Target): AvroPlan {
    this.#count()
    if (branch.kind === 'null' || members.length === 1 || this.#isIngest)
      return this.#branchless(writer, branch, target)
    const { builder, plain, path } = target
    const name = unionMemberName(members.indexOf(branch))
    const column =
      builder.kind === 'struct' ? assignColumns([name], builder.fields, this.#isCoerced)[0] : undefined
    if (builder.kind !== 'struct' || !hasContractType(plain, 'object'))
      return this.#unsupported(writer, target)
    const fault = contractFault([name], plain?.object)
    if (fault !== undefined) return this.#refuse('contract', path, fault)
    const others = builder.children.filter((_, i) => i !== column)
    if (column === undefined || builder.fields.some((field, i) => i !== column && !field.nullable))
      return this.#refuse('field', `${path}.${name}`, 'the column has no field for a type of the union')
    const value = this.#branchless(
      writer,
      branch,
      this.#fieldTarget(builder, column, name, plain?.object, path),
    )
    if (value.kind === 'refused') return value
    return { kind: 'member', builder, rules: { value, others } }
  }

  #fieldTarget(
    builder: StructBuilder,
    column: number,
    key: string,
    plain: PlainContract | undefined,
    path: string,
  ): Target {
    const field = builder.fields[column]
    const rules = plain?.fields.find(({ name }) => name === key)
    return {
      builder: builder.children[column] as AnyBuilder,
      nullable: field?.nullable === true && rules?.nullable !== false,
      plain: rules,
      path: path === '' ? key : `${path}.${key}`,
    }
  }

  #list(writer: AvroNode, reader: AvroNode, builder: ListBuilder, { plain, path }: Target): AvroPlan {
    const value = this.#value(writer, reader, {
      builder: builder.child,
      nullable: builder.type.containsNull && plain?.items?.nullable !== false,
      plain: plain?.items,
      path: `${path}.element`,
    })
    return { kind: 'list', builder, rules: { value, bytesMin: bytesMinOf(writer) } }
  }

  #map(writer: AvroNode, reader: AvroNode, builder: MapBuilder, target: Target): AvroPlan {
    const { keys } = builder
    if (keys.kind !== 'bytes' || keys.type !== 'string') return this.#unsupported(writer, target)
    const { plain, path } = target
    const value = this.#value(writer, reader, {
      builder: builder.values,
      nullable: builder.type.valueContainsNull && plain?.entries?.nullable !== false,
      plain: plain?.entries,
      path: `${path}.value`,
    })
    return { kind: 'map', builder, rules: { keys, value, seen: new KeySet() } }
  }

  #nested(writer: AvroRecord, reader: AvroRecord, target: Target): AvroPlan {
    const { builder, plain, path } = target
    if (isEmptyRecord(reader)) {
      // Its presence is all that a row holds; kafka-delta-ingest makes an object of it.
      if (this.#isIngest || builder.kind !== 'fixed' || builder.type !== 'boolean')
        return this.#unsupported(writer, target)
      if (!hasContractType(plain, 'boolean')) return this.#unsupported(writer, target)
      return { kind: 'presence', builder, rules: this.#skip(writer) }
    }
    if (builder.kind !== 'struct' || !hasContractType(plain, 'object'))
      return this.#unsupported(writer, target)
    if (this.#open.has(writer)) return this.#refuse('path', path, 'a recursive record is read as an object')
    this.#open.add(writer)
    const plan = this.#record(writer, reader, builder, plain?.object, path)
    this.#open.delete(writer)
    return plan
  }

  #record(
    writer: AvroRecord,
    reader: AvroRecord,
    builder: StructBuilder,
    plain: PlainContract | undefined,
    path: string,
  ): AvroPlan {
    const fields = fieldsOf(writer, reader)
    const defaults =
      reader === writer ? [] : reader.fields.filter((field) => sourceOf(field, writer) === undefined)
    const keys = [...fields.flatMap(({ name }) => name ?? []), ...defaults.map(({ name }) => name)]
    const columns = new Map(
      assignColumns(keys, builder.fields, this.#isCoerced).map((column, i) => [keys[i], column]),
    )
    const filled = new Set(columns.values())
    const lacking = builder.fields.find((field, i) => !field.nullable && !filled.has(i))
    if (lacking !== undefined)
      return this.#refuse('path', join(path, lacking.name), 'records lack a column that is not nullable')
    const fault = contractFault(keys, plain)
    if (fault !== undefined) return this.#refuse('contract', path, fault)
    if (this.#isChecked && !keys.every((key) => builder.fields.some(({ name }) => name === key)))
      return this.#refuse('contract', path, 'the contract has rules, and a field has no column of its name')
    const steps = fields.map(({ name, node, into }): AvroPlan => {
      if (name === undefined) return { kind: 'skip', builder: undefined, rules: this.#skip(node) }
      const column = columns.get(name)
      if (column === undefined) return this.#dropped(node, into, name, path)
      return this.#value(node, into, this.#fieldTarget(builder, column, name, plain, path))
    })
    const refused = steps.find(isAlwaysRefused)
    if (refused !== undefined) return refused.kind === 'refused' ? refused : refusedPlan('value')
    const rest = this.#rest(defaults, columns, builder, plain, path)
    if ('kind' in rest) return rest
    return { kind: 'record', builder, rules: { steps, ...rest } }
  }

  /** Returns what a row has beside the fields of the bytes: values of missing fields, and columns without a field. */
  #rest(
    defaults: AvroRecord['fields'],
    columns: ReadonlyMap<string | undefined, number | undefined>,
    builder: StructBuilder,
    plain: PlainContract | undefined,
    path: string,
  ): AvroPlan | RecordRest {
    const constants: { builder: AnyBuilder; value: unknown }[] = []
    const dropped: DroppedFields[] = []
    for (const { name, node, default: absent } of defaults) {
      const column = columns.get(name)
      if (column === undefined) {
        if (this.#options.unknownFields === 'leave' && absent?.json !== null)
          return this.#refuse('field', join(path, name), 'a default has no column')
        if (this.#options.unknownFields === 'count')
          dropped.push(droppedFields(SKIP_NOTHING, join(path, name), true))
        continue
      }
      const target = this.#fieldTarget(builder, column, name, plain, path)
      const constant = constantOf(node, absent?.json, this.#value(node, node, target), target)
      if (constant === undefined)
        return this.#refuse('path', target.path, 'a default of this type is made as an object')
      constants.push({ builder: target.builder, value: constant.value })
    }
    const filled = new Set(columns.values())
    const missing = builder.fields.flatMap((field, i) => (filled.has(i) ? [] : [{ field, i }]))
    const { absentValues } = this.#options
    if (this.#isChecked && path === '' && missing.some(({ field }) => absentValues?.has(field.name)))
      return this.#refuse('contract', '', 'the contract has rules, and records lack a column with a default')
    const withValue = path === '' ? missing.filter(({ field }) => absentValues?.has(field.name)) : []
    return {
      constants,
      dropped,
      missing: missing.flatMap((each) =>
        withValue.includes(each) ? [] : [builder.children[each.i] as AnyBuilder],
      ),
      hasAbsent: withValue.length > 0,
    }
  }

  #dropped(node: AvroNode, into: AvroNode, name: string, path: string): AvroPlan {
    const { unknownFields = 'skip' } = this.#options
    const at = join(path, name)
    if (unknownFields === 'leave') {
      const skip = node === into ? skipNull(node) : skipNever('field')
      return isNeverSkipped(skip)
        ? this.#refuse('field', at, 'there is no column for the field')
        : { kind: 'dropped', builder: undefined, rules: droppedFields(skip, at, false) }
    }
    // What another schema makes of the bytes may be refused, which only the object reader finds out.
    if (node !== into && !(isScalar(node) && isScalar(into)))
      return this.#refuse('field', at, 'there is no column for the field')
    return {
      kind: 'dropped',
      builder: undefined,
      // Bytes that are read as text must be text.
      rules: droppedFields(this.#skip(into.kind === 'string' ? into : node), at, unknownFields === 'count'),
    }
  }

  #skip(node: AvroNode): SkipPlan {
    return skipPlanOf(node, () => {
      this.#count()
    })
  }
}

interface RecordRest {
  readonly constants: readonly { readonly builder: AnyBuilder; readonly value: unknown }[]
  readonly dropped: readonly DroppedFields[]
  readonly missing: readonly AnyBuilder[]
  readonly hasAbsent: boolean
}

/** Returns true when no value of the plan can be read. */
function isAlwaysRefused(plan: AvroPlan): boolean {
  if (plan.kind === 'skip') return isNeverSkipped(plan.rules)
  return plan.kind === 'refused' || (plan.kind === 'dropped' && isNeverSkipped(plan.rules.skip))
}

function droppedFields(skip: SkipPlan, path: string, isCounted: boolean): DroppedFields {
  return { skip, isCounted, path: path.toLowerCase(), isNoted: false }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
