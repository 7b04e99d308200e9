import { builderOf, type AnyBuilder } from '../../../arrow/builder.ts'
import { avroDefaultValue } from '../default.ts'
import type { AvroNode } from '../schema.ts'
import type { AvroPlan } from './plan.ts'

/**
 * Returns the default of a field that the writer lacks, in the form that its column accepts, or `undefined` when only an
 * object shows what becomes of it. `plan` reads values of the field.
 */
export function constantOf(
  node: AvroNode,
  json: unknown,
  plan: AvroPlan,
  { builder, nullable }: { readonly builder: AnyBuilder; readonly nullable: boolean },
): { readonly value: unknown } | undefined {
  const value = avroDefaultValue(node, json)
  if (value === null) return nullable ? { value } : undefined
  const own = plan.kind === 'union' ? onlyMember(node, plan.rules) : plan
  if (own === undefined || !ACCEPTED.has(own.kind) || !isSimple(value)) return undefined
  return builderOf(builder.type).append(value) === undefined ? { value } : undefined
}

function onlyMember(node: AvroNode, plans: readonly AvroPlan[]): AvroPlan | undefined {
  const branches = node.kind === 'union' ? node.branches : []
  const members = plans.filter((_, i) => branches[i]?.kind !== 'null')
  return members.length === 1 ? members[0] : undefined
}

/** Plans whose columns convert the value of the row itself, without help of a conversion for one program. */
const ACCEPTED: ReadonlySet<AvroPlan['kind']> = new Set<AvroPlan['kind']>([
  'text',
  'bytes',
  'fixedBytes',
  'uuid',
  'enum',
  'boolean',
  'long',
  'int',
  'integer',
  'number',
  'float',
  'double',
  'doubleAsFloat',
  'decimal',
  'wholeDecimal',
  'list',
  'map',
])

/** Returns true for values without parts: those of objects and arrays may have fields without a column. */
function isSimple(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype !== Object.prototype && prototype !== null) || Object.keys(value).length === 0
}
