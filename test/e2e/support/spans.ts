import assert from 'node:assert/strict'

/** A span, however it was delivered. Times in microseconds since the epoch. */
export interface SpanSeen {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly name: string
  readonly startMicros: number
  readonly endMicros: number
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: number
}

/** Stages of a flush with rows in it, in the order in which they begin. */
export const STAGES = [
  'decode',
  'validate',
  'enrich',
  'partition',
  'buffer',
  'parquet',
  'arrow',
  'delta commit',
  'offset commit',
]

/** Asserts that the spans are whole traces of flushes: one root each, every stage there, every span within its parent, links to producers. */
export function assertFlushTraces(spans: readonly SpanSeen[], topic: string): void {
  const roots = spans.filter((span) => span.name === `process ${topic}`)
  assert.ok(roots.length > 0, 'there is a root')
  for (const root of roots) {
    const trace = spans.filter((span) => span.traceId === root.traceId)
    const byId = new Map(trace.map((span) => [span.spanId, span]))
    assert.equal(root.parentId, undefined)
    for (const stage of [`poll ${topic}`, ...STAGES])
      assert.ok(
        trace.some((span) => span.name === stage),
        `${stage} is in the trace`,
      )
    for (const span of trace) {
      if (span === root) continue
      const parent = byId.get(span.parentId ?? '')
      assert.ok(parent, `${span.name} has a parent in the trace`)
      // Both clocks are read in milliseconds with fractions; a microsecond is lost in rounding.
      assert.ok(span.startMicros >= parent.startMicros - 2, `${span.name} begins within ${parent.name}`)
      assert.ok(span.endMicros <= parent.endMicros + 2, `${span.name} ends within ${parent.name}`)
      assert.ok(span.endMicros >= span.startMicros)
    }
    assertWholeTime(root, trace)
    assertNested(trace, topic)
    const commit = trace.find((span) => span.name === 'delta commit')
    assert.equal(commit?.attributes['kafka_delta.attempts'], 1)
    assert.equal(typeof commit.attributes['kafka_delta.version'], 'number')
    assert.ok(root.links > 0 && root.links <= 128, `1 to 128 links, got ${root.links}`)
    assert.equal(root.attributes['kafka_delta.links.linked'], root.links)
    const seen = Number(root.attributes['kafka_delta.links.seen'])
    assert.ok(seen >= root.links, `${seen} links seen, ${root.links} linked`)
    assert.equal(root.attributes['messaging.system'], 'kafka')
  }
}

/** What the stages may miss of the time of a flush. */
const MISSED_MAX = 0.05

/**
 * Asserts that the time of the root is told: the stages below it, laid over each other, cover it, and so does the sum of
 * what each of them took, which the root's attributes say.
 */
function assertWholeTime(root: SpanSeen, trace: readonly SpanSeen[]): void {
  const took = root.endMicros - root.startMicros
  const stages = trace.filter((span) => span.parentId === root.spanId)
  const covered = coveredMicros(stages)
  assert.ok(
    covered >= took * (1 - MISSED_MAX),
    `the stages cover ${covered} of ${took} µs:\n${stages.map(lineOf).join('\n')}`,
  )
  const sum = Object.entries(root.attributes)
    .filter(([key]) => key.startsWith('kafka_delta.ms.'))
    .reduce((all, [, ms]) => all + Number(ms) * 1000, 0)
  assert.ok(Math.abs(sum - took) <= took * MISSED_MAX, `the stages add up to ${sum} of ${took} µs`)
}

/** How long at least one of the spans was there. */
function coveredMicros(spans: readonly SpanSeen[]): number {
  let covered = 0
  let at = 0
  for (const { startMicros, endMicros } of [...spans].sort((a, b) => a.startMicros - b.startMicros)) {
    covered += Math.max(0, endMicros - Math.max(at, startMicros))
    at = Math.max(at, endMicros)
  }
  return covered
}

function lineOf({ name, startMicros, endMicros }: SpanSeen): string {
  return `${name} ${startMicros} to ${endMicros}`
}

/** Asserts that what the clients asked of brokers lies within its stage. */
function assertNested(trace: readonly SpanSeen[], topic: string): void {
  const stageIds = (name: string): readonly string[] =>
    trace.filter((span) => span.name === name).map(({ spanId }) => spanId)
  const isWithin = (name: string, stage: string): boolean =>
    trace
      .filter((span) => span.name === name)
      .every(({ parentId }) => stageIds(stage).includes(parentId ?? ''))
  assert.ok(
    trace.some((span) => span.name === `commit ${topic}`),
    'offsets were committed to the group',
  )
  assert.ok(isWithin(`commit ${topic}`, 'offset commit'), 'within the stage')
  assert.ok(isWithin(`send ${topic}-dlq`, 'dead letters'), 'dead letters are sent within theirs')
  assert.ok(isWithin('dead letters', 'delta commit'), 'which lies within the commit')
}

/** Asserts that every file of every flush has its put within `parquet`, and every commit as many as it tried within its own. */
export function assertPuts(spans: readonly SpanSeen[]): void {
  const puts = (parent: SpanSeen): number =>
    spans.filter(({ name, parentId }) => name === 's3 PutObject' && parentId === parent.spanId).length
  const named = (wanted: string): readonly SpanSeen[] => spans.filter(({ name }) => name === wanted)
  assert.ok(named('parquet').length > 0 && named('delta commit').length > 0, 'there were flushes')
  for (const parquet of named('parquet')) assert.equal(puts(parquet), parquet.attributes['kafka_delta.files'])
  for (const commit of named('delta commit'))
    assert.equal(puts(commit), commit.attributes['kafka_delta.attempts'])
}
