/** The options of topics that the broker knows, with Kafka's defaults. It keeps records until they are deleted. */
export const EMBEDDED_TOPIC_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'delete'],
  ['compression.gzip.level', '-1'],
  ['compression.lz4.level', '9'],
  ['compression.type', 'producer'],
  ['compression.zstd.level', '3'],
  ['delete.retention.ms', '86400000'],
  ['file.delete.delay.ms', '60000'],
  ['flush.messages', '9223372036854775807'],
  ['flush.ms', '9223372036854775807'],
  ['index.interval.bytes', '4096'],
  ['max.compaction.lag.ms', '9223372036854775807'],
  ['max.message.bytes', '1048588'],
  ['message.timestamp.after.max.ms', '3600000'],
  ['message.timestamp.before.max.ms', '9223372036854775807'],
  ['message.timestamp.type', 'CreateTime'],
  ['min.cleanable.dirty.ratio', '0.5'],
  ['min.compaction.lag.ms', '0'],
  ['min.insync.replicas', '1'],
  ['preallocate', 'false'],
  ['retention.bytes', '-1'],
  ['retention.ms', '-1'],
  ['segment.bytes', '1073741824'],
  ['segment.index.bytes', '10485760'],
  ['segment.jitter.ms', '0'],
  ['segment.ms', '604800000'],
  ['unclean.leader.election.enable', 'false'],
])

/** Returns the fault of an option that no topic can have, or `undefined` when a topic can have it. */
export function topicOptionFaultOf(name: string, value: string): string | undefined {
  const byDefault = EMBEDDED_TOPIC_OPTIONS.get(name)
  if (byDefault === undefined) return `Unknown topic config name: ${name}`
  const isNumber = /^-?\d+(\.\d+)?$/.test(byDefault)
  if (!isNumber || /^-?\d+(\.\d+)?$/.test(value)) return undefined
  return `Invalid value ${value} for configuration ${name}: Not a number of type LONG`
}
