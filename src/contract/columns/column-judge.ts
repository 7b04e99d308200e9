import type { BytesColumn, Column, FixedColumn, ListColumn } from '../../arrow/column.ts'
import { judgeMap, judgeStruct } from './column-objects.ts'
import { bytesTestOf, numbersOf, numberRuleOf, timesRuleOf } from './column-scalars.ts'
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
  conditionalOf,
  eitherOf,
  exactlyOne,
  INVALID,
  nullVerdict,
  oppositeOf,
  UNKNOWN,
  VALID,
  verdictOf,
  type Verdict,
} from '../rules/verdict.ts'

/** Returns the judge of `rules` for columns of this shape, or `undefined` when every value obeys them. */
export function columnJudgeOf(
  rules: PlainRules,
  shape: ValueShape,
  path: string,
  meaningOf: MeaningOf,
): ColumnJudge | undefined {
  const inner = (part: PlainRules): ColumnJudge | undefined => columnJudgeOf(part, shape, path, meaningOf)
  const steps = [
    ...ownSteps(rules, shape),
    ...nestedSteps(rules, shape, path, meaningOf),
    ...combinedSteps(rules, inner),
  ]
  const ofNull = nullVerdict(rules)
  if (steps.length === 0 && ofNull === VALID) return undefined
  return (column) => {
    const { length, valid } = column
    const verdicts = new Uint8Array(length).fill(VALID)
    for (const step of steps) step(column, verdicts)
    if (valid !== undefined) for (let i = 0; i < length; i++) if (valid[i] === 0) verdicts[i] = ofNull
    return verdicts
  }
}

function combinedSteps(
  { allOf = [], anyOf, oneOf, not, condition }: PlainRules,
  inner: (part: PlainRules) => ColumnJudge | undefined,
): ColumnStep[] {
  const steps = allOf.flatMap((part): ColumnStep[] => {
    const judge = inner(part)
    return judge === undefined ? [] : [(column, verdicts) => combine(verdicts, judge(column), bothOf)]
  })
  if (anyOf !== undefined) {
    const judges = anyOf.map(inner)
    // One alternative that every value obeys decides.
    if (!judges.includes(undefined))
      steps.push((column, verdicts) => {
        const found = new Uint8Array(column.length).fill(INVALID)
        for (const judge of judges) if (judge !== undefined) combine(found, judge(column), eitherOf)
        combine(verdicts, found, bothOf)
      })
  }
  if (oneOf !== undefined) steps.push(oneStep(oneOf.map(inner)))
  if (not !== undefined) {
    const judge = inner(not)
    steps.push((column, verdicts) => {
      const found = judgedBy(judge, column)
      for (let i = 0; i < found.length; i++)
        verdicts[i] = bothOf(verdicts[i] as Verdict, oppositeOf(found[i] as Verdict))
    })
  }
  if (condition !== undefined) {
    const condition_ = inner(condition.if)
    const then = condition.then && inner(condition.then)
    const otherwise = condition.else && inner(condition.else)
    steps.push((column, verdicts) => {
      const [holds, yes, no] = [
        judgedBy(condition_, column),
        judgedBy(then, column),
        judgedBy(otherwise, column),
      ]
      for (let i = 0; i < holds.length; i++) {
        const verdict = conditionalOf(holds[i] as Verdict, yes[i] as Verdict, no[i] as Verdict)
        verdicts[i] = bothOf(verdicts[i] as Verdict, verdict)
      }
    })
  }
  return steps
}

function oneStep(judges: readonly (ColumnJudge | undefined)[]): ColumnStep {
  return (column, verdicts) => {
    const certain = new Uint16Array(column.length)
    const open = new Uint16Array(column.length)
    for (const judge of judges) {
      const found = judgedBy(judge, column)
      for (let i = 0; i < found.length; i++)
        if (found[i] === VALID) certain[i] = (certain[i] as number) + 1
        else if (found[i] === UNKNOWN) open[i] = (open[i] as number) + 1
    }
    for (let i = 0; i < certain.length; i++)
      verdicts[i] = bothOf(verdicts[i] as Verdict, exactlyOne(certain[i] as number, open[i] as number))
  }
}

/** Returns the verdicts of a judge; without one every value obeys. */
function judgedBy(judge: ColumnJudge | undefined, column: Column): Uint8Array {
  return judge === undefined ? new Uint8Array(column.length).fill(VALID) : judge(column)
}

/** Returns the step that lowers every verdict by one that is the same for all values. */
function constantStep(verdict: Verdict): ColumnStep[] {
  if (verdict === VALID) return []
  return [
    (_, verdicts) => {
      for (let i = 0; i < verdicts.length; i++) verdicts[i] = bothOf(verdicts[i] as Verdict, verdict)
    },
  ]
}

/** Returns the steps of the rules for scalars. */
function ownSteps(rules: PlainRules, shape: ValueShape): ColumnStep[] {
  const { json, type } = shape
  const { never, types, values } = rules
  const steps = constantStep(never === undefined ? VALID : INVALID)
  const onlyNullTested = types?.length === 1 && types[0] === 'null'
  if (json === undefined) {
    // Every other assertion depends on the type that the value has in the message.
    if (onlyNullTested) return [...steps, ...constantStep(INVALID)]
    const tested = Object.keys(rules).some((key) => !COMBINATIONS.has(key))
    return tested ? [...steps, ...constantStep(UNKNOWN)] : steps
  }
  const isNumber = json === 'integer' || json === 'number'
  if (types !== undefined && !(isNumber && (types.includes('integer') || types.includes('number'))))
    steps.push(...constantStep(verdictOf(types.includes(json))))
  if (isNumber) {
    const rule = numberRuleOf(rules, type)
    if (rule !== undefined)
      steps.push((column, verdicts) => {
        const numbers = numbersOf(column)
        for (let i = 0; i < numbers.length; i++)
          verdicts[i] = bothOf(verdicts[i] as Verdict, rule(numbers[i] as number))
      })
    return steps
  }
  if (json === 'string') return [...steps, ...textSteps(rules, shape)]
  if (json === 'boolean' && values !== undefined)
    steps.push((column, verdicts) => {
      const [no, yes] = [verdictOf(values.includes(false)), verdictOf(values.includes(true))]
      const truths = (column as FixedColumn).values
      for (let i = 0; i < truths.length; i++)
        verdicts[i] = bothOf(verdicts[i] as Verdict, truths[i] === 0 ? no : yes)
    })
  // Values of `enum` and `const` are scalars here, which no object or array equals.
  if ((json === 'object' || json === 'array') && values !== undefined) steps.push(...constantStep(INVALID))
  return steps
}

const COMBINATIONS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'condition', 'never'])

function textSteps(rules: PlainRules, { type }: ValueShape): ColumnStep[] {
  if (type === 'string') {
    const test = bytesTestOf(rules)
    if (test === undefined) return []
    return [
      (column, verdicts) => {
        const { bytes, offsets, length } = column as BytesColumn
        for (let i = 0; i < length; i++)
          verdicts[i] = bothOf(
            verdicts[i] as Verdict,
            test(bytes, offsets[i] as number, offsets[i + 1] as number),
          )
      },
    ]
  }
  return timesRuleOf(rules, type)
}

function nestedSteps(rules: PlainRules, shape: ValueShape, path: string, meaningOf: MeaningOf): ColumnStep[] {
  const { type, json } = shape
  if (typeof type === 'string' || json === undefined) return []
  const judgeOf: JudgeOf = (inner, own, at) => columnJudgeOf(inner, own, at, meaningOf)
  switch (type.type) {
    case 'array': {
      const { items, minItems = 0, maxItems = Infinity, uniqueItems } = rules
      const element = shape.items ?? { type: type.elementType }
      const judge = items && columnJudgeOf(items, element, `${path}element.`, meaningOf)
      if (judge === undefined && minItems === 0 && maxItems === Infinity && uniqueItems === undefined)
        return []
      return [
        (column, verdicts) => {
          const { offsets, child, length } = column as ListColumn
          if (judge !== undefined) gatherVerdicts(verdicts, judge(child), offsets)
          for (let i = 0; i < length; i++) {
            const size = (offsets[i + 1] as number) - (offsets[i] as number)
            if (size < minItems || size > maxItems) verdicts[i] = bothOf(verdicts[i] as Verdict, INVALID)
            if (uniqueItems === true && size > 1) verdicts[i] = bothOf(verdicts[i] as Verdict, UNKNOWN)
          }
        },
      ]
    }
    case 'map':
      return judgeMap(rules, shape, path, judgeOf)
    case 'struct':
      return judgeStruct(rules, shape, path, meaningOf, judgeOf)
  }
}
