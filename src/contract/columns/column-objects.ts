import type { Column, MapColumn, StructColumn } from '../../arrow/column.ts'
import {
  combine,
  gatherVerdicts,
  type ColumnJudge,
  type ColumnStep,
  type JudgeOf,
  type MeaningOf,
  type ValueShape,
} from './column-verdicts.ts'
import type { PlainRules } from '../rules/rules.ts'
import {
  bothOf,
  eitherOf,
  INVALID,
  oppositeOf,
  UNKNOWN,
  VALID,
  verdictOf,
  type Verdict,
} from '../rules/verdict.ts'

/** Describes one field of a struct in a message. */
interface Field {
  readonly name: string
  readonly index: number
  readonly meaning: ReturnType<MeaningOf>
  readonly path: string
  readonly shape: ValueShape
}

/** Returns the steps of the rules for objects, for structs. */
export function judgeStruct(
  rules: PlainRules,
  shape: ValueShape,
  path: string,
  meaningOf: MeaningOf,
  judgeOf: JudgeOf,
): ColumnStep[] {
  const { type, object } = shape
  if (typeof type === 'string' || type.type !== 'struct') return []
  const fields = type.fields.map(({ name, type: own }, index): Field => {
    const value = object?.fields.find((field) => field.name === name)
    const at = `${path}${name}`
    return { name, index, meaning: meaningOf(at), path: `${at}.`, shape: { ...(value ?? {}), type: own } }
  })
  const named = new Set(rules.properties?.map(({ name }) => name))
  const known = new Set(fields.map(({ name }) => name))
  const present = (name: string): ((column: Column) => Uint8Array) => {
    const field = fields.find((each) => each.name === name)
    return (column) =>
      field === undefined
        ? new Uint8Array(column.length).fill(INVALID)
        : presenceOf(field, column as StructColumn)
  }
  const steps: ColumnStep[] = []
  for (const field of fields) {
    const own = rules.properties?.find(({ name }) => name === field.name)?.rules
    const inner = own ?? (named.has(field.name) ? undefined : rules.additional)
    const judge = inner && judgeOf(inner, field.shape, field.path)
    if (judge !== undefined) steps.push(fieldStep(field, judge))
    if (rules.names !== undefined)
      steps.push(absentStep(present(field.name), nameVerdict(rules.names, field.name, judgeOf)))
  }
  // A required property without a column is in no message.
  for (const name of rules.required ?? [])
    steps.push((column, verdicts) => {
      combine(verdicts, present(name)(column), bothOf)
    })
  for (const { name, required } of rules.dependentRequired ?? [])
    for (const other of required)
      steps.push((column, verdicts) => {
        implies(verdicts, present(name)(column), present(other)(column))
      })
  for (const { name, rules: dependent } of rules.dependentRules ?? []) {
    const judge = judgeOf(dependent, shape, path)
    if (judge !== undefined && known.has(name))
      steps.push((column, verdicts) => {
        implies(verdicts, present(name)(column), judge(column))
      })
  }
  if (rules.minProperties !== undefined || rules.maxProperties !== undefined)
    steps.push(countStep(rules, fields))
  return steps
}

/** Returns for each struct the verdict on the presence of a field in its message. */
function presenceOf({ index, meaning }: Field, { children, length }: StructColumn): Uint8Array {
  const verdicts = new Uint8Array(length).fill(meaning === 'missing' ? INVALID : VALID)
  if (meaning === 'missing' || meaning === 'null') return verdicts
  const valid = children[index]?.valid
  if (valid === undefined) return verdicts
  const ofNull = meaning === 'absent' ? INVALID : UNKNOWN
  for (let i = 0; i < length; i++) if (valid[i] === 0) verdicts[i] = ofNull
  return verdicts
}

/** Lowers the verdicts by those on a field, where it is present. */
function fieldStep({ index, meaning }: Field, judge: ColumnJudge): ColumnStep {
  return (column, verdicts) => {
    const child = (column as StructColumn).children[index]
    if (child === undefined || meaning === 'missing') return
    const found = judge(child)
    const { valid } = child
    if (valid !== undefined && meaning !== 'null')
      for (let i = 0; i < found.length; i++)
        // An absent field obeys every rule.
        if (valid[i] === 0) found[i] = meaning === 'absent' ? VALID : (found[i] as Verdict) | VALID
    combine(verdicts, found, bothOf)
  }
}

/** Lowers the verdicts by one that holds where a field is present. */
function absentStep(present: (column: Column) => Uint8Array, verdict: Verdict): ColumnStep {
  return (column, verdicts) => {
    if (verdict === VALID) return
    implies(verdicts, present(column), new Uint8Array(column.length).fill(verdict))
  }
}

function implies(verdicts: Uint8Array, condition: Uint8Array, found: Uint8Array): void {
  for (let i = 0; i < verdicts.length; i++) {
    const verdict = eitherOf(oppositeOf(condition[i] as Verdict), found[i] as Verdict)
    verdicts[i] = bothOf(verdicts[i] as Verdict, verdict)
  }
}

function countStep(
  { minProperties = 0, maxProperties = Infinity }: PlainRules,
  fields: readonly Field[],
): ColumnStep {
  return (column, verdicts) => {
    const least = new Uint16Array(column.length)
    const most = new Uint16Array(column.length)
    for (const field of fields) {
      const found = presenceOf(field, column as StructColumn)
      for (let i = 0; i < found.length; i++) {
        if (found[i] === VALID) least[i] = (least[i] as number) + 1
        if (found[i] !== INVALID) most[i] = (most[i] as number) + 1
      }
    }
    for (let i = 0; i < verdicts.length; i++) {
      const [low, high] = [least[i] as number, most[i] as number]
      const isOut = high < minProperties || low > maxProperties
      const verdict = isOut ? INVALID : low < minProperties || high > maxProperties ? UNKNOWN : VALID
      verdicts[i] = bothOf(verdicts[i] as Verdict, verdict)
    }
  }
}

/** Returns the verdict on the name of a property. */
function nameVerdict(rules: PlainRules, name: string, judgeOf: JudgeOf): Verdict {
  const bytes = Buffer.from(name)
  const judge = judgeOf(rules, { type: 'string', json: 'string' }, '')
  const offsets = Int32Array.of(0, bytes.length)
  const column: Column = { kind: 'bytes', type: 'string', length: 1, valid: undefined, offsets, bytes }
  return judge?.(column)[0] ?? VALID
}

/** Returns the steps of the rules for objects, for maps. */
export function judgeMap(rules: PlainRules, shape: ValueShape, path: string, judgeOf: JudgeOf): ColumnStep[] {
  const { type } = shape
  if (typeof type === 'string' || type.type !== 'map') return []
  const { additional, names, minProperties = 0, maxProperties = Infinity } = rules
  const values = additional && judgeOf(additional, shape.entries ?? { type: type.valueType }, `${path}value.`)
  const keyShape: ValueShape =
    type.keyType === 'string' ? { type: 'string', json: 'string' } : { type: type.keyType }
  const keys = names && judgeOf(names, keyShape, '')
  const { required, properties, dependentRequired, dependentRules } = rules
  // Single entries are not looked up by their keys.
  const isOpen = [required, properties, dependentRequired, dependentRules].some(
    (list) => (list?.length ?? 0) > 0,
  )
  const isCounted = minProperties > 0 || maxProperties < Infinity
  if (values === undefined && keys === undefined && !isOpen && !isCounted) return []
  return [
    (column, verdicts) => {
      const map = column as MapColumn
      if (values !== undefined) gatherVerdicts(verdicts, values(map.values), map.offsets)
      if (keys !== undefined) gatherVerdicts(verdicts, keys(map.keys), map.offsets)
      for (let i = 0; i < map.length; i++) {
        const size = (map.offsets[i + 1] as number) - (map.offsets[i] as number)
        // Two entries may have the same key, of which an object has one.
        const isCertain = size <= maxProperties && minProperties <= Math.min(size, 1)
        const verdict = bothOf(verdictOf(size >= minProperties), isCertain && !isOpen ? VALID : UNKNOWN)
        verdicts[i] = bothOf(verdicts[i] as Verdict, verdict)
      }
    },
  ]
}
