import type { Provenance } from '../batch.ts'

/** Returns the name of a batch in messages: topic, partition and offsets. */
export function nameOfBatch({ topic, partition, first, last }: Provenance): string {
  return `batch ${topic}/${partition}@${first}..${last}`
}

/**
 * Returns the rule that an operator breaks by emitting a batch other than the first of `waiting`, which are the batches that
 * went in and did not come out, in order. `previous` is the batch that came out last.
 */
export function brokenRuleOf(
  emitted: Provenance,
  waiting: readonly Provenance[],
  previous: Provenance | undefined,
  isSame: (a: Provenance, b: Provenance) => boolean,
): string {
  const name = nameOfBatch(emitted)
  const [expected] = waiting
  if (previous !== undefined && isSame(emitted, previous)) return `it emitted ${name} twice`
  if (expected === undefined) {
    return previous !== undefined && isWithin(emitted, previous)
      ? `it split ${nameOfBatch(previous)}: it emitted ${name} too`
      : `it emitted ${name}, which did not go in or came out before`
  }
  if (waiting.some((provenance) => isSame(emitted, provenance)))
    return `it left out ${nameOfBatch(expected)} or changed the order: ${name} went in later and came out first`
  if (isWithin(expected, emitted) && waiting.length > 1)
    return `it joined ${nameOfBatch(expected)} with others, into ${name}`
  if (isWithin(emitted, expected))
    return `it split ${nameOfBatch(expected)} or replaced its provenance: ${name}`
  return `it replaced the provenance of ${nameOfBatch(expected)} by ${name}, or emitted an older batch again`
}

function isWithin(inner: Provenance, outer: Provenance): boolean {
  return (
    inner.topic === outer.topic &&
    inner.partition === outer.partition &&
    inner.first >= outer.first &&
    inner.last <= outer.last
  )
}
