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
    const commit = trace.find((span) => span.name === 'delta commit')
    assert.equal(commit?.attributes['kafka_delta.attempts'], 1)
    assert.equal(typeof commit.attributes['kafka_delta.version'], 'number')
    assert.ok(root.links > 0 && root.links <= 128, `1 to 128 links, got ${root.links}`)
    assert.equal(root.attributes['messaging.system'], 'kafka')
  }
}
