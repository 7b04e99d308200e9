import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of Fluent Bit, Vector, Filebeat, Logstash and syslog. */
export const LOG_SHIPPERS: readonly CompatibilityRow[] = [
  {
    id: 'fluent-bit-epoch-float',
    batches: [
      ['{"@timestamp":1690000000.123,"log":"line","kubernetes":{"labels":{"app.kubernetes.io/name":"x"}}}'],
    ],
    expected: {
      columns: {
        '@timestamp': 'double',
        log: 'string',
        kubernetes: 'struct<labels: struct<app.kubernetes.io/name: string>>',
      },
      rows: [
        '{"@timestamp":1690000000.123,"log":"line","kubernetes":{"labels":{"app.kubernetes.io/name":"x"}}}',
      ],
    },
  },
  {
    id: 'fluent-bit-epoch-float-as-timestamp',
    topic: {
      transforms: { at: { expr: 'epoch_millis_to_iso8601("@timestamp" * `1000`)', type: 'timestamp' } },
      drop: ['@timestamp'],
    },
    batches: [['{"@timestamp":1690000000.123,"log":"line"}']],
    expected: {
      columns: { log: 'string', at: 'timestamp' },
      rows: ['{"log":"line","at":"2023-07-22T04:26:40.123000Z"}'],
    },
  },
  {
    id: 'fluent-bit-iso8601-nanoseconds',
    topic: { inference: { timestamps: true } },
    batches: [[json({ '@timestamp': '2026-03-01T10:00:00.123456789Z', log: 'line' })]],
    expected: {
      columns: { '@timestamp': 'timestamp', log: 'string' },
      rows: ['{"@timestamp":"2026-03-01T10:00:00.123456Z","log":"line"}'],
    },
  },
  {
    id: 'vector-log-event',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        json({
          file: '/var/log/a.log',
          host: 'h',
          message: 'line',
          source_type: 'file',
          timestamp: '2026-03-01T10:00:00.123456789Z',
        }),
      ],
    ],
    expected: {
      columns: {
        file: 'string',
        host: 'string',
        message: 'string',
        source_type: 'string',
        timestamp: 'timestamp',
      },
      rows: [
        '{"file":"/var/log/a.log","host":"h","message":"line","source_type":"file","timestamp":"2026-03-01T10:00:00.123456Z"}',
      ],
    },
  },
  {
    id: 'vector-metric-nanoseconds',
    batches: [
      [
        '{"name":"bytes_total","timestamp_ns":1772323200123456789,"counter":{"value":3.0},"tags":{"a":"1"}}',
        '{"name":"mem","gauge":{"value":1}}',
      ],
    ],
    expected: {
      columns: {
        name: 'string',
        timestamp_ns: 'long',
        counter: 'struct<value: double>',
        tags: 'struct<a: string>',
        gauge: 'struct<value: long>',
      },
      rows: [
        '{"name":"bytes_total","timestamp_ns":1772323200123456789,"counter":{"value":3},"tags":{"a":"1"},"gauge":null}',
        '{"name":"mem","timestamp_ns":null,"counter":null,"tags":null,"gauge":{"value":1}}',
      ],
    },
  },
  {
    id: 'filebeat-event',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        json({
          '@timestamp': '2026-03-01T10:00:00.123Z',
          '@metadata': { beat: 'filebeat', version: '8.13.0' },
          'log.level': 'info',
          message: 'line',
          ecs: { version: '8.0.0' },
          host: { name: 'h' },
        }),
      ],
    ],
    expected: {
      columns: {
        '@timestamp': 'timestamp',
        '@metadata': 'struct<beat: string, version: string>',
        'log.level': 'string',
        message: 'string',
        ecs: 'struct<version: string>',
        host: 'struct<name: string>',
      },
      rows: [
        '{"@timestamp":"2026-03-01T10:00:00.123000Z","@metadata":{"beat":"filebeat","version":"8.13.0"},"log.level":"info","message":"line","ecs":{"version":"8.0.0"},"host":{"name":"h"}}',
      ],
    },
  },
  {
    id: 'syslog-lines',
    topic: { format: 'text', transforms: { host: "regex_extract(value, '^\\S+ \\S+ (\\S+)', `1`)" } },
    batches: [['<34>1 2026-03-01T10:00:00Z web1 su - - failed', Buffer.from([0xff])]],
    expected: {
      columns: { value: 'string', host: 'string' },
      rows: ['{"value":"<34>1 2026-03-01T10:00:00Z web1 su - - failed","host":"web1"}'],
      letters: ['decode: expected UTF-8, got invalid bytes'],
    },
  },
  {
    id: 'otlp-protobuf-bytes',
    topic: { format: 'bytes' },
    batches: [[Buffer.from([10, 0, 255])]],
    expected: { columns: { value: 'binary' }, rows: ['{"value":"CgD/"}'] },
  },
  {
    id: 'logstash-csv',
    topic: { format: 'csv', csv: { columns: ['id', 'name', 'note'] } },
    batches: [['1,"Ada, Countess",', '2,Eve,"a ""b"""', '3,only two']],
    expected: {
      columns: { id: 'string', name: 'string', note: 'string' },
      rows: ['{"id":"1","name":"Ada, Countess","note":null}', '{"id":"2","name":"Eve","note":"a \\"b\\""}'],
      letters: ['decode: expected 3 fields, got 2'],
    },
  },
  {
    id: 'csv-with-a-byte-order-mark',
    topic: { format: 'csv', csv: { header: true } },
    batches: [['\ufeffid,name\r\n1,"a\nb"']],
    expected: { columns: { id: 'string', name: 'string' }, rows: ['{"id":"1","name":"a\\nb"}'] },
  },
]
