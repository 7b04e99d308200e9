/** Lists a test per line, `test/NAME.test.ts`, and the files `src/NAME.ts` that it covers because they have no test of their own. */
const LINES = `
arrow/builder: arrow/column-builder
arrow/cast: arrow/column arrow/values
arrow/from-arrow: arrow/record-batch
arrow/objects/row-normaliser: arrow/objects/object-code arrow/objects/row-reader arrow/objects/time-text
arrow/sparse/sparse-column: arrow/sparse/null-column
arrow/time: arrow/bytes-builder arrow/fixed-builder arrow/validity
cli/dlq/dlq: cli/dlq/discard cli/dlq/list cli/dlq/replay cli/dlq/show
cli/dlq/group: cli/dlq/command cli/dlq/text service/replay/stored-letters
cli/health: cli/config-flags cli/top/endpoint
cli/load/load: cli/load/flags cli/load/progress cli/load/report cli/load/run kafka/source/read-topic
cli/top/top: cli/top/request
cli/main: cli/contract cli/demo/broker cli/demo/command cli/ingest cli/package-file cli/run cli/topic-code cli/validate
cli/output: cli/table/type-text
cli/table/cat: cli/table/command cli/table/create cli/table/files cli/table/history cli/table/notices cli/table/optimize cli/table/properties cli/table/restore cli/table/show cli/table/table cli/table/vacuum cli/table/verify
compression/compression: compression/bounded-buffer compression/byte-codec compression/crc32c compression/lz4 compression/snappy compression/zstd-built-in compression/zstd-frame compression/zstd-wasm compression/zstd
console/history/topic-history: console/history/group-events
console/page/page: console/page/headline console/page/main console/page/part console/page/partitions console/page/vdom console/page/work
console/page/parts: console/format console/page/sparkline console/page/stream console/page/surroundings console/page/topics console/page/verbs
console/many-topics: console/snapshot console/views/detail console/views/overview
contract/columns/column-rules: contract/columns/column-judge contract/columns/column-objects contract/columns/column-scalars contract/columns/column-verdicts contract/columns/value-rules
contract/columns/plain: contract/columns/to-plain
contract/columns/to-table-schema: contract/columns/flatten contract/columns/to-struct
contract/json-schema/draft: contract/json-schema/delta-type
contract/json-schema/references: contract/json-schema/compile contract/json-schema/describe contract/json-schema/json-schema contract/json-schema/walk
contract/rules/byte-pattern: contract/rules/pattern-syntax
contract/rules/verdict: contract/rules/rules
core/credit/credit: core/credit/flush-credit
console/console-page: core/uri/package-file
core/stage/flush-stages: core/batch core/flush-trace core/stage/flush-scope
core/stage/operator-contract: core/stage/broken-rule
core/stage/span: core/clock core/errors
core/stage/wrong-operators: core/dead-letter core/open-partitions
delta/commit/checkpoint-write: delta/commit/checkpoint-reuse delta/commit/checkpoint-rows
delta/commit/conflicts: delta/commit/commit-info
delta/commit/log-writer: delta/commit/append delta/commit/checkpoint-scheduler delta/commit/checksum-writer delta/commit/table-writer
delta/constraints/constraints: delta/constraints/constraint-violations
delta/files/deletion-vector: delta/files/z85
delta/files/layout: delta/protocol/table-shape
delta/files/write-data-files: delta/files/encode-file
delta/fuzz: delta/statistics/json-text
delta/log/checksum: delta/log/live-files delta/log/log-segment delta/log/snapshot
delta/log/in-commit-timestamp: delta/log/checkpoint-part delta/log/checkpoint-read delta/log/checkpoint-schema delta/log/parsed-stats delta/log/state delta/log/txn-retention
delta/maintenance/optimize-spark: delta/statistics/stats-check delta/statistics/stats
delta/maintenance/vacuum: delta/files/referenced-files delta/maintenance/maintained-table
delta/protocol/action-json: delta/protocol/actions delta/protocol/fields
delta/protocol/protocol: delta/constraints/append-support
delta/protocol/table-properties: delta/protocol/features delta/protocol/interval
delta/rewrite/cluster: delta/rewrite/data-file delta/rewrite/row-ids delta/rewrite/sort-keys delta/rewrite/zcubes
delta/rewrite/curves: delta/rewrite/hilbert delta/rewrite/zorder
delta/schema/evolve: delta/protocol/upgrade delta/schema/new-fields delta/schema/schema-json
delta/schema/type-widening: core/widening
delta/statistics/json-primitives: delta/statistics/format-double
docs/commands: service/inference/contract-sample service/process/ingest service/process/observability service/process/run
docs/paths: index public-types
e2e/demo: cli/demo/demo cli/demo/dependencies cli/demo/kafka
embedded-kafka/folder/restart: embedded-kafka/folder/broker-folder embedded-kafka/folder/journal embedded-kafka/folder/open-files embedded-kafka/folder/partition-file embedded-kafka/folder/replace-file embedded-kafka/ledger embedded-kafka/log/log-store embedded-kafka/transactions/stored-offset embedded-kafka/transactions/transaction-facts
embedded-kafka/versions: embedded-kafka/client-connection embedded-kafka/embedded-kafka embedded-kafka/faults embedded-kafka/groups/classic-group embedded-kafka/groups/consumer-group embedded-kafka/groups/group-coordinator embedded-kafka/handlers/admin embedded-kafka/handlers/cluster embedded-kafka/handlers/fetch-sessions embedded-kafka/handlers/fetch embedded-kafka/handlers/group-offsets embedded-kafka/handlers/groups embedded-kafka/handlers/handler embedded-kafka/handlers/handlers embedded-kafka/handlers/offsets embedded-kafka/handlers/produce embedded-kafka/handlers/transactions embedded-kafka/log/control-batch embedded-kafka/log/partition-log embedded-kafka/log/producer-states embedded-kafka/log/stored-batch embedded-kafka/topic-options embedded-kafka/topics embedded-kafka/transactions/transactions
enrichments/bucket: enrichments/derived-column
enrichments/kafka-columns: enrichments/enrichment
enrichments/lookup-columns: enrichments/source-column
entries/entries: entries/azure entries/gcs entries/s3 entries/service-types entries/service entries/testing service/process/service
evolution/alter: evolution/batch-validation evolution/plain evolution/row-columns
evolution/contract-case: evolution/policy
evolution/dropped-fields: evolution/field-paths
evolution/infer-from-sample: evolution/infer-new-columns
evolution/ingest-values: evolution/coerce-message evolution/table-columns
evolution/row-layout: evolution/nulls
formats/avro/columnar/column-reader: formats/avro/columnar/assign formats/avro/columnar/batch formats/avro/columnar/compile formats/avro/columnar/constant formats/avro/columnar/plan formats/avro/columnar/read-scalar formats/avro/columnar/read-value formats/avro/columnar/record-fields formats/avro/columnar/rules formats/avro/columnar/scalar-plan formats/avro/columnar/skip
formats/avro/container-format: formats/avro/read formats/avro/values
formats/avro/fingerprint: formats/avro/schema
formats/avro/format: formats/avro/columns formats/avro/default
formats/avro/kafka-delta-ingest: formats/avro/connect-types formats/avro/cursor
formats/avro/resolve: formats/open/contract
formats/debezium/avro-event-columns: formats/debezium/columns
formats/debezium/connect-columns: formats/debezium/avro-scan formats/debezium/connect-reading formats/debezium/event-batch formats/debezium/event-fields formats/debezium/event-scan formats/debezium/values
formats/debezium/format: formats/debezium/schema
formats/framing/headers: formats/framing/known-schemas
formats/framing/schema-id: formats/framing/record-collector formats/framing/rewrite-values formats/framing/some-messages
formats/json/checked: formats/json/columns
formats/json/columns/member-names: formats/json/columns/checked-plan formats/json/columns/json-bytes formats/json/columns/plan
formats/json/columns/unknown-fields: formats/json/columns/canonical formats/json/columns/checked formats/json/columns/read-decimal formats/json/columns/read-number formats/json/columns/read-text formats/json/columns/read-time formats/json/columns/scan formats/json/columns/source-taps formats/json/columns/value-plan
formats/json/lines: formats/json/schema-file
formats/json/registered-json: formats/json/json-input
formats/open/detect: formats/open/candidates formats/open/format-factories formats/open/open
formats/open/read-ahead: formats/open/thread-format
formats/open/tombstones: enrichments/deleted-flag
formats/protobuf/built-in-files: formats/protobuf/columns formats/protobuf/load
formats/protobuf/columnar/message-columns: formats/protobuf/columnar/column-plan formats/protobuf/columnar/column-positions formats/protobuf/columnar/fill-plan formats/protobuf/columnar/read-key formats/protobuf/columnar/read-message formats/protobuf/columnar/read-scalar formats/protobuf/columnar/value-plan formats/protobuf/columnar/wire-input formats/protobuf/columnar/wire-plan formats/protobuf/schema
formats/protobuf/registry: formats/protobuf/cursor formats/protobuf/protobuf-well-known formats/protobuf/read formats/protobuf/wire-types
formats/slow-counts: formats/format formats/sources
formats/text/csv: formats/settings formats/text/csv-fields formats/text/csv-lines formats/text/csv-plan formats/text/digits
formats/text/value-column: formats/contract-rules
formats/writer-schema: formats/record-columns formats/row-collector formats/schema-files formats/values
ingest/plan: ingest/environment ingest/formats ingest/librdkafka-properties ingest/librdkafka ingest/seek-offsets ingest/statsd-endpoint
jmespath/interpreter: jmespath/built-in jmespath/expression jmespath/function-table jmespath/numbers
kafka/client/connections: kafka/client/admin kafka/client/client kafka/client/sockets kafka/client/tls-files kafka/client/topic-metadata kafka/client/wire-options
kafka/client/faults: kafka/client/tls-faults
kafka/client/tokens: kafka/client/token-login
kafka/dead-letters/letter-records: kafka/dead-letters/dead-letter-envelope
kafka/fetch/faults/fetch-reactions: kafka/fetch/faults/fetch-error-handler kafka/fetch/faults/fetch-failure
kafka/fetch/fetcher: kafka/fetch/fetch-options
kafka/fetch/transactions: kafka/fetch/broker-fetcher kafka/fetch/fetch-context kafka/fetch/fetch-partition kafka/fetch/leader-tracker
kafka/group/assignors/cooperative-sticky: kafka/group/assignors/sticky-balancer
kafka/group/assignors/range: kafka/group/assignors/assignor
kafka/group/coordinator-client: kafka/group/membership
kafka/group/group-reactions: kafka/group/assignors/assignors
kafka/group/simulation: kafka/group/leader
kafka/records/aborted: kafka/records/gather-batch kafka/records/record-cursor kafka/records/record-ranges
kafka/records/record-codecs: kafka/records/batch-header kafka/records/malformed-records
kafka/source/end/end-refresh: kafka/source/watermarks
kafka/source/read-again: kafka/source/consumer-options kafka/source/source-batch
kafka/source/source-events: kafka/source/source-options kafka/source/source
kafka/source/topic-id: kafka/fetch/faults/recreated-topic kafka/source/offset-lookup
kafka/wire/find-coordinator: kafka/wire/broker
kafka/wire/list-partitions: kafka/wire/cluster
kafka/wire/network/frames: kafka/wire/network/tls-record
kafka/wire/network/request-channel: kafka/wire/network/options
kafka/wire/schema: kafka/wire/messages/admin/create-partitions kafka/wire/messages/admin/create-topics kafka/wire/messages/admin/delete-groups kafka/wire/messages/admin/delete-records kafka/wire/messages/admin/delete-topics kafka/wire/messages/admin/describe-cluster kafka/wire/messages/admin/describe-configs kafka/wire/messages/admin/describe-groups kafka/wire/messages/admin/list-groups kafka/wire/messages/api-versions kafka/wire/messages/fetch kafka/wire/messages/find-coordinator kafka/wire/messages/group/consumer-group-describe kafka/wire/messages/group/consumer-group-heartbeat kafka/wire/messages/group/heartbeat kafka/wire/messages/group/join-group kafka/wire/messages/group/leave-group kafka/wire/messages/group/sync-group kafka/wire/messages/init-producer-id kafka/wire/messages/list-offsets kafka/wire/messages/metadata kafka/wire/messages/offset-commit kafka/wire/messages/offset-fetch kafka/wire/messages/offset-for-leader-epoch kafka/wire/messages/produce kafka/wire/messages/sasl-authenticate kafka/wire/messages/sasl-handshake kafka/wire/messages/transactions/add-offsets-to-txn kafka/wire/messages/transactions/add-partitions-to-txn kafka/wire/messages/transactions/end-txn kafka/wire/messages/transactions/txn-offset-commit
library/chain-config: library/chain-options
library/fan-out: library/carry-chain library/chain-run library/custom-parts
library/formats: library/debezium-row library/topic-format
local-servers/kafka: local-servers/cache local-servers/maven
operators/transform: formats/json/source-message
parquet/columns/encode-columns: parquet/columns/chunk-bounds parquet/columns/chunk-writer parquet/columns/levels parquet/columns/page-codec parquet/columns/plain-values parquet/join
parquet/range-reader: arrow/plain parquet/footer
parquet/statistics: parquet/leaf-statistics
parquet/writer: parquet/created-by
registry/registry-tls: core/tls/tls-files registry/registry
resilience/access-circuit: resilience/server-availability
resilience/circuit-registry: core/circuit resilience/circuit-breaker
rows/row-types: rows/row-input
sample/kinds: sample/order-events sample/web-requests
sample/produce: sample/event sample/random
sample/user-events: sample/bad-records
service/dead-letters/dead-letter-columns: service/table/side-table
service/http/admin: service/http/admin-token
service/http/console-routes: service/http/read-guard
service/http/status: service/health/components
service/inference/inferred-topic: service/inference/sample
service/metrics/topic-metrics: service/metrics/process-metrics
service/operators/topic-code: service/operators/define service/operators/extensions service/operators/host-modules service/operators/load-file service/operators/place service/operators/topic-meter
service/process/shutdown: service/process/exit
service/replay/replay: service/operators/join service/operators/operators-stage service/replay/replay-ledger service/replay/replay-rows service/table/commit-rows stored-letters/ledger
service/supervision/patterns: service/supervision/discover
service/supervision/process-memory: service/connections/kafka-options
service/supervision/supervision: service/supervision/run-topics service/supervision/topic-set service/supervision/watch-topics
service/supervision/topic-states: service/supervision/supervised-topic
service/table/target: enrichments/cast-columns service/connections/registry-options service/connections/retry-options service/operators/guards service/table/row-columns
service/topic/status: service/topic/control service/topic/events service/topic/flush-tracker service/topic/state service/topic/summary service/topic/topic-pipeline service/topic/topic-run
service/topic/topic: service/topic/format service/topic/source-options
sql/functions/logic: sql/functions/arguments sql/functions/arithmetic sql/functions/compare sql/functions/functions sql/functions/like sql/functions/time-pattern sql/functions/time
sql/parse/parse: sql/expression/types sql/parse/literals sql/parse/tokens
sql/spark: sql/compile sql/expression/ast sql/expression/cast-time sql/expression/cast sql/expression/columns sql/expression/error sql/expression/numbers sql/expression/term
storage/azure/azure: storage/azure/azure-client storage/azure/azure-options
storage/blocked-access: storage/store
storage/dynamodb/dynamodb-log: storage/dynamodb/dynamodb-entries storage/dynamodb/dynamodb-options
storage/gcs/gcs: storage/gcs/gcs-client storage/gcs/gcs-options storage/gcs/gcs-upload
storage/local/local: storage/local/local-abandoned
storage/requests: storage/bucket-prefix storage/parts
storage/s3/s3: storage/s3/aws storage/s3/s3-options storage/s3/s3-upload
stored-letters/stored: stored-letters/row
telemetry/log: telemetry/otlp
telemetry/metrics/catalogue: service/metrics/java-metrics telemetry/metrics/instruments
telemetry/metrics/observed-metrics: telemetry/metrics/metrics telemetry/metrics/readers
telemetry/process-warnings: telemetry/log-levels
telemetry/tracing/tail-sampling: telemetry/tracing/sampler
threads/dying-threads: threads/pool
threads/encode-files: threads/column-transfer threads/encode-on-thread
threads/read-batches: threads/describe threads/read-columns
transforms/columns/column-transforms: transforms/columns/column-program transforms/columns/expression transforms/columns/functions transforms/columns/input transforms/columns/kafka-columns transforms/columns/message-columns transforms/columns/message-sources transforms/columns/read-source transforms/columns/result-column transforms/columns/row-plan transforms/columns/time-text transforms/columns/value-vector
transforms/date-pattern: transforms/iso
transforms/examples: transforms/columns
transforms/files: transforms/functions-privacy transforms/functions-text transforms/functions-time transforms/functions
transforms/keeps-on-null: transforms/compile transforms/faults
`

/** Names, by the test that covers them, the files of src that have no test of their own. */
export const COVERED: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  LINES.trim()
    .split('\n')
    .map((line) => {
      const [covering = '', sources = ''] = line.split(': ')
      return [`test/${covering}.test.ts`, sources.split(' ').map((name) => `src/${name}.ts`)]
    }),
)
