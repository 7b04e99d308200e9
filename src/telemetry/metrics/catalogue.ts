/** Defines a metric: its kind, unit, labels and description. */
export interface MetricDefinition {
  /** `counter` and `histogram` are recorded by events; `gauge` and `total` (monotonic) are observed at each collection. */
  readonly kind: 'counter' | 'histogram' | 'gauge' | 'total'
  /** `By` for bytes, `s` for seconds; absent for plain numbers. */
  readonly unit?: 'By' | 's'
  readonly labels: readonly string[]
  readonly help: string
  /** Upper bounds of the buckets of a histogram, in its unit; default: bounds for seconds. */
  readonly bounds?: readonly number[]
}

/** Bounds in seconds, from a flush of a few records on a local disk to one that waits for an unavailable store. */
const SECONDS_BOUNDS = [0.1, 0.5, 1, 5, 30, 120]
const FILE_BOUNDS = [1e6, 1.6e7, 1.28e8, 5.12e8]
/** Only the sum and the count are of use: with buckets, the stages of 200 topics were most of the series of a process. */
const NO_BOUNDS: readonly number[] = []

const TOPIC = ['topic']
const MESSAGING = ['messaging.system', 'messaging.destination.name']
const OPERATION = [...MESSAGING, 'messaging.operation.name']

/** Lists all metrics of the service. A test compares `docs/operations.md` with it. Prometheus replaces dots by underscores. */
export const METRICS = {
  'messaging.client.consumed.messages': {
    kind: 'counter',
    labels: MESSAGING,
    help: 'Messages read from Kafka, including repeated reads',
  },
  'messaging.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    labels: OPERATION,
    help: 'Time that flushes took to poll and to commit offsets',
    bounds: NO_BOUNDS,
  },
  'messaging.process.duration': {
    kind: 'histogram',
    unit: 's',
    labels: OPERATION,
    help: 'Time from the first poll of a flush to its end',
  },
  'kafka_delta.read.bytes': {
    kind: 'counter',
    unit: 'By',
    labels: TOPIC,
    help: 'Bytes of values read from Kafka',
  },
  'kafka_delta.commit.records': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Records of committed flushes; the sum of kafka_delta.records over all outcomes',
  },
  'kafka_delta.records': {
    kind: 'counter',
    labels: ['topic', 'outcome'],
    help: 'Records of committed flushes, by outcome',
  },
  'kafka_delta.dropped.fields': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Fields of rows for which the table has no column',
  },
  'kafka_delta.slow.rows': {
    kind: 'counter',
    labels: ['topic', 'reason'],
    help: 'Records of committed flushes that were decoded as objects instead of columns, by reason',
  },
  'kafka_delta.dead_letters': {
    kind: 'counter',
    labels: ['topic', 'reason'],
    help: 'Dead letters of committed flushes, by reason',
  },
  'kafka_delta.commits': { kind: 'counter', labels: TOPIC, help: 'Flushes committed to the table' },
  'kafka_delta.commit.attempts': { kind: 'counter', labels: TOPIC, help: 'Puts tried for commits' },
  'kafka_delta.commit.conflicts': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Versions that other writers committed first',
  },
  'kafka_delta.puts.ambiguous': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Puts of commits whose outcome had to be determined by reading the log',
  },
  'kafka_delta.files': { kind: 'counter', labels: TOPIC, help: 'Data files added' },
  'kafka_delta.file.size': {
    kind: 'histogram',
    unit: 'By',
    labels: TOPIC,
    help: 'Size of data files',
    bounds: FILE_BOUNDS,
  },
  'kafka_delta.flush.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['topic', 'outcome'],
    help: 'Time from when a flush was formed to its end',
  },
  'kafka_delta.stage.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['topic', 'stage'],
    help: 'Time that the stages of a flush took, from its first poll to its end',
    bounds: NO_BOUNDS,
  },
  'kafka_delta.files.orphaned': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Data files of flushes without a commit that could not be deleted; VACUUM deletes them',
  },
  'kafka_delta.schema.changes': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Commits that changed the columns of the table',
  },
  'kafka_delta.checkpoints': {
    kind: 'counter',
    labels: ['topic', 'outcome'],
    help: 'Checkpoints of the table, by outcome',
  },
  'kafka_delta.maintenance.runs': {
    kind: 'counter',
    labels: ['topic', 'task', 'outcome'],
    help: 'Runs of table maintenance',
  },
  'kafka_delta.maintenance.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['topic', 'task'],
    help: 'Time that table maintenance took',
    bounds: NO_BOUNDS,
  },
  'kafka_delta.rebalances': {
    kind: 'counter',
    labels: TOPIC,
    help: 'Times that the consumer began to join its group, or that its assignment changed',
  },
  'kafka_delta.eventloop.stalls': {
    kind: 'counter',
    labels: [],
    help: 'Times that the event loop was blocked for more than a second',
  },
  'kafka_delta.lag': {
    kind: 'gauge',
    labels: ['topic', 'partition'],
    help: 'Offsets that the table does not hold yet',
  },
  'kafka_delta.lag.time': {
    kind: 'gauge',
    unit: 's',
    labels: ['topic', 'partition'],
    help: 'Age of the oldest record that the table does not hold yet; 0 without lag',
  },
  'kafka_delta.freshness': {
    kind: 'gauge',
    unit: 's',
    labels: TOPIC,
    help: 'Age of the newest record in the table',
  },
  'kafka_delta.buffered': {
    kind: 'gauge',
    unit: 'By',
    labels: TOPIC,
    help: 'Bytes of records between Kafka and the table',
  },
  'kafka_delta.buffered.max': {
    kind: 'gauge',
    unit: 'By',
    labels: TOPIC,
    help: 'Maximum bytes of records between Kafka and the table',
  },
  'kafka_delta.budget': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    help: 'Bytes of records between Kafka and the tables, of all topics of the process',
  },
  'kafka_delta.budget.max': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    help: 'Maximum bytes that all topics of the process may hold together',
  },
  'kafka_delta.disk.free': {
    kind: 'gauge',
    unit: 'By',
    labels: ['path'],
    help: 'Free space of a file system that holds local tables; path is one of its tables',
  },
  'kafka_delta.table.version': {
    kind: 'gauge',
    labels: TOPIC,
    help: 'Newest version that this process wrote',
  },
  'kafka_delta.topic.state': {
    kind: 'gauge',
    labels: ['topic', 'state'],
    help: '1 for the state that the topic is in, 0 for the others',
  },
  'kafka_delta.topic.restarts': {
    kind: 'total',
    labels: TOPIC,
    help: 'Restarts of the topic after a failure',
  },
  'kafka_delta.unmatched.paths': {
    kind: 'gauge',
    labels: TOPIC,
    help: 'Paths of drop, rename and transforms that were reported because they match no field',
  },
  'kafka_delta.ready': { kind: 'gauge', labels: [], help: 'Whether the process is ready' },
  'kafka_delta.circuit.state': {
    kind: 'gauge',
    labels: ['kind', 'name'],
    help: 'State of a circuit: 0 closed, 1 half-open, 2 open',
  },
  'kafka_delta.circuit.opened': {
    kind: 'total',
    labels: ['kind', 'name'],
    help: 'Times that a circuit has opened',
  },
  'kafka_delta.retries': {
    kind: 'total',
    labels: ['kind', 'name'],
    help: 'Requests that were retried',
  },
  'kafka_delta.metrics.omitted': {
    kind: 'gauge',
    labels: [],
    help: 'Label sets left out of metrics that have too many',
  },
  'process.memory.usage': { kind: 'gauge', unit: 'By', labels: [], help: 'Resident memory' },
  'process.cpu.time': {
    kind: 'total',
    unit: 's',
    labels: ['cpu.mode'],
    help: 'CPU time used',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** Lists the metrics of the Java connector by their Prometheus names; they are optional. */
export const JAVA_METRICS = {
  kafka_connector_records_processed_total: {
    kind: 'counter',
    labels: TOPIC,
    help: 'Records of committed flushes, with any outcome',
  },
  kafka_connector_delta_writes_total: { kind: 'counter', labels: TOPIC, help: 'Commits to the table' },
  kafka_connector_batch_flush_duration: {
    kind: 'histogram',
    unit: 's',
    labels: TOPIC,
    help: 'Time from when a flush was formed to its commit',
  },
  kafka_connector_schema_validation_failures: {
    kind: 'gauge',
    labels: TOPIC,
    help: 'Records that the schema refused since the process started',
  },
  kafka_connector_optimization_runs_total: {
    kind: 'counter',
    labels: TOPIC,
    help: 'Runs of table maintenance that compacted small files',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** Lists the metrics of OpenTelemetry's instrumentation of the Node runtime. */
export const RUNTIME_METRICS = [
  'nodejs.eventloop.delay.min',
  'nodejs.eventloop.delay.max',
  'nodejs.eventloop.delay.mean',
  'nodejs.eventloop.delay.stddev',
  'nodejs.eventloop.delay.p50',
  'nodejs.eventloop.delay.p90',
  'nodejs.eventloop.delay.p99',
  'nodejs.eventloop.time',
  'nodejs.eventloop.utilization',
  'v8js.gc.duration',
  'v8js.memory.heap.limit',
  'v8js.memory.heap.used',
  'v8js.memory.heap.space.size',
  'v8js.memory.heap.space.available_size',
  'v8js.memory.heap.space.physical_size',
] as const

type All = typeof METRICS & typeof JAVA_METRICS

/** Names the metrics of a kind. */
export type MetricName<K extends MetricDefinition['kind'] = MetricDefinition['kind']> = {
  [N in keyof All]: All[N]['kind'] extends K ? N : never
}[keyof All]

/** Returns the definition of a metric. */
export function metricDefinitionOf(name: MetricName): MetricDefinition {
  return { ...METRICS, ...JAVA_METRICS }[name]
}

/** Returns the upper bounds of the buckets of a histogram. */
export function bucketBoundsOf({ bounds = SECONDS_BOUNDS }: MetricDefinition): number[] {
  return [...bounds]
}
