import type { Config, TopicConfig } from '../../config/types.ts'
import { readContract } from '../contract/file.ts'
import type { Contract } from '../contract/contract.ts'
import { messageOf } from '../core/errors.ts'
import type { Format, FormatOptions, ObjectReason } from '../formats/format.ts'
import { openFormat } from '../formats/open/open.ts'
import { mainThreadReason } from '../formats/open/thread-format.ts'
import { registryOptionsOf } from '../service/connections/registry-options.ts'
import type { TopicExtensions } from '../service/operators/extensions.ts'
import { contractAfterTransforms, openTransforms } from '../service/table/transforms.ts'
import { columnsAfter } from '../transforms/columns.ts'
import { ColumnTransforms } from '../transforms/columns/column-transforms.ts'
import { formatTable } from './output.ts'

/** Says whether a column, a rule, a filter or a transform runs on columns or needs objects. */
interface Explained {
  readonly subject: string
  readonly on: 'columns' | 'objects'
  readonly reason?: string
}

/** Says whether the records of a topic are decoded into columns, and what prevents it. */
export interface TopicExplanation {
  readonly topic: string
  /** `objects` when one of `subjects` makes every record an object on the way. */
  readonly on: 'columns' | 'objects'
  readonly subjects: readonly Explained[]
  /** Says what the main thread does although the process has worker threads, and why; absent when it has none. */
  readonly onMainThread?: readonly ObjectReason[]
}

const NO_COLUMNS: FormatOptions = { schema: { type: 'struct', fields: [] }, plain: undefined }

/**
 * Explains how the records of a topic are decoded, from its configuration and contract. Columns that only an existing table or
 * the first messages define are unknown here.
 */
export async function explainTopic(
  name: string,
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry' | 'workers'>,
  code: TopicExtensions = {},
): Promise<TopicExplanation> {
  const contract = topic.contract === undefined ? code.format?.contract : await readContract(topic.contract)
  const options = contract === undefined ? NO_COLUMNS : { schema: contract.schema, plain: contract.plain }
  const reasons = [
    ...(await formatReasons(topic, config, options, contract, code)),
    ...(await transformReasons(name, topic, contract)),
  ]
  const known = subjectsOf(topic, contract)
  const others = reasons.filter(({ subject }) => !known.some((each) => isPartOf(subject, each)))
  const subjects = [
    ...known.map((subject) => explained(subject, reasons)),
    ...others.map(({ subject, reason }): Explained => ({ subject, on: 'objects', reason })),
    ...explainOperators(code),
  ]
  const on = reasons.length === 0 ? 'columns' : 'objects'
  return {
    topic: topic.topic,
    on,
    subjects,
    ...(config.workers === 0 ? {} : { onMainThread: mainThreadReasons(topic, on, code) }),
  }
}

/** Returns what worker threads do not do for a topic. */
function mainThreadReasons(
  topic: TopicConfig,
  on: 'columns' | 'objects',
  { format, rows = [] }: TopicExtensions,
): readonly ObjectReason[] {
  const decoding =
    format !== undefined
      ? { subject: 'format', reason: `the format ${format.name} of the operators is not known to threads` }
      : on === 'objects'
        ? { subject: 'format', reason: 'threads make no objects' }
        : mainThreadReason(topic)
  const { rules, filter, transforms } = topic
  const hasSteps = rules.length > 0 || filter !== undefined || Object.keys(transforms).length > 0
  return [
    ...(decoding === undefined ? [] : [decoding]),
    ...(hasSteps
      ? [{ subject: 'transforms', reason: 'rules, filters and transforms need what the main thread holds' }]
      : []),
    ...(rows.length === 0
      ? []
      : [{ subject: 'operators', reason: 'code of the user runs on the main thread' }]),
  ]
}

/** Explains the operators of a topic, which run on rows that are decoded already. */
function explainOperators({ rows = [] }: TopicExtensions): readonly Explained[] {
  const reason = 'functions that take single rows, as those of mapRows, need objects'
  return rows.length === 0 ? [] : [{ subject: 'operators', on: 'objects', reason }]
}

/** Formats the explanation of a topic as a table. */
export function formatExplanation({ topic, on, subjects, onMainThread }: TopicExplanation): string {
  const threads = onMainThread === undefined ? '' : threadLines(onMainThread)
  const head = `topic ${topic}: records are decoded into ${on}\n${threads}`
  const rows = subjects.map(({ subject, on: own, reason = '' }) => [subject, own, reason])
  return rows.length === 0
    ? `${head}\n`
    : `${head}${formatTable(['what', 'runs on', 'why'], rows).replace(/^/gm, '  ').trimEnd()}\n\n`
}

function threadLines(onMainThread: readonly ObjectReason[]): string {
  if (onMainThread.length === 0) return '  on worker threads\n'
  return onMainThread.map(({ subject, reason }) => `  on the main thread: ${subject}, ${reason}\n`).join('')
}

/** Returns the columns of the contract and the steps of the topic, in the order in which they run. */
function subjectsOf(topic: TopicConfig, contract: Contract | undefined): readonly string[] {
  return [
    ...(contract?.schema.fields ?? []).map(({ name }) => `columns.${name}`),
    ...topic.rules.map(({ name }) => `rules.${name}`),
    ...(topic.filter === undefined ? [] : ['filter']),
    ...Object.keys(topic.transforms).map((path) => `transforms.${path}`),
  ]
}

function explained(subject: string, reasons: readonly ObjectReason[]): Explained {
  const own = reasons.filter((reason) => isPartOf(reason.subject, subject))
  if (own.length === 0) return { subject, on: 'columns' }
  return { subject, on: 'objects', reason: own.map(({ reason }) => reason).join('; ') }
}

/** Returns whether a reason concerns the subject itself or something in it. */
function isPartOf(inner: string, subject: string): boolean {
  return inner === subject || inner.startsWith(`${subject}.`)
}

async function formatReasons(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  options: FormatOptions,
  contract: Contract | undefined,
  code: TopicExtensions,
): Promise<readonly ObjectReason[]> {
  const rules = contractReasons(contract)
  let format: Format
  try {
    format = await (code.format?.open(options) ??
      openFormat({ ...topic, ...registryOptionsOf(config, topic, undefined) }, options))
  } catch (error) {
    return [{ subject: 'format', reason: `unknown: ${messageOf(error)}` }]
  }
  if (format.objectReasons === undefined)
    return [{ subject: 'format', reason: `the format ${format.name} makes objects` }]
  // Without a contract the columns, and what they need, are known later.
  if (contract === undefined) return rules
  return rules.length > 0
    ? rules
    : format.objectReasons().map((reason) => withColumnSubject(reason, contract))
}

/** Names the column that a reason is about as this page names columns. */
function withColumnSubject({ subject, reason }: ObjectReason, { schema }: Contract): ObjectReason {
  const isColumn = schema.fields.some(({ name }) => isPartOf(subject, name))
  return { subject: isColumn ? `columns.${subject}` : subject, reason }
}

/** Returns the rules of a contract that columns and bytes cannot prove. */
function contractReasons(contract: Contract | undefined): readonly ObjectReason[] {
  return (contract?.plainFaults ?? []).map(({ at, message }) => ({
    subject: `contract${at}`,
    reason: message,
  }))
}

/** Returns why transforms need objects. The columns of rows are those of the contract after the transforms. */
async function transformReasons(
  name: string,
  topic: TopicConfig,
  contract: Contract | undefined,
): Promise<readonly ObjectReason[]> {
  const transformation = await openTransforms(topic, contract?.schema, { prefix: `topics.${name}.` })
  if (transformation === undefined) return []
  if (!hasSources(topic)) {
    const reason = 'only messages in JSON are transformed in columns'
    const steps = subjectsOf(topic, undefined)
    return (steps.length === 0 ? ['transforms'] : steps).map((subject) => ({ subject, reason }))
  }
  const schema =
    contract === undefined
      ? columnsAfter(NO_COLUMNS.schema, transformation)
      : contractAfterTransforms(contract, transformation).schema
  return new ColumnTransforms(transformation, contract?.schema).inputFor({ schema }).reasons
}

/** Returns true when the format of a topic gives fields as they are written, which transforms on columns need. */
function hasSources({ format, formats, framing, envelope }: TopicConfig): boolean {
  return (
    (format === 'json' || format === 'jsonl') &&
    formats === undefined &&
    framing !== 'registry' &&
    envelope === 'none'
  )
}
