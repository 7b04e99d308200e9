import { containerOf } from '../../support/values/avro-containers.ts'
import {
  avroRecord,
  avroRow,
  avroSchema,
  framed,
  framedAvro,
  registryOf,
  REGISTRY_AVRO,
} from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const optional = (type: unknown): unknown[] => ['null', type]
const ADDRESS = { city: 'string' }
const WRITER_ENUM = { type: 'enum', name: 'State', symbols: ['NEW', 'PAID', 'LOST'] }
const READER_ENUM = { type: 'enum', name: 'State', symbols: ['NEW', 'PAID'] }
const OLD = avroRecord({ id: 'long' })
const ITEM = avroRecord({ id: 'long' }, 'Item')
const ORDER = avroRecord({ order_id: 'long', total: 'double' }, 'OrderPlaced')
const REFUND = avroRecord({ order_id: 'long', reason: 'string' }, 'OrderRefunded')

/** Rows of schemas, frames and keys as Confluent's serializers and others write them. */
export const AVRO_SCHEMAS: readonly CompatibilityRow[] = [
  {
    id: 'avro-default-of-second-branch',
    topic: { ...REGISTRY_AVRO, avro: { readerSchema: 'file:reader.avsc' } },
    files: {
      'reader.avsc': JSON.stringify({
        type: 'record',
        name: 'Event',
        namespace: 'shop',
        fields: [
          { name: 'id', type: 'long' },
          { name: 'name', type: ['null', 'string'], default: 'unnamed' },
          { name: 'state', type: ['string', 'null'], default: 'new' },
        ],
      }),
    },
    registry: registryOf(OLD),
    batches: [[framedAvro(1, OLD, { id: 1n })]],
    expected: {
      columns: { id: 'long', name: 'string', state: 'string' },
      rows: ['{"id":1,"name":"unnamed","state":"new"}'],
    },
  },
  {
    id: 'avro-enum-symbol-unknown-to-reader',
    topic: { ...REGISTRY_AVRO, avro: { readerSchema: 'file:reader.avsc' } },
    files: {
      'reader.avsc': JSON.stringify(
        avroRecord({ plain: READER_ENUM, lenient: { ...READER_ENUM, name: 'Lenient', default: 'NEW' } }),
      ),
    },
    registry: registryOf(avroRecord({ plain: WRITER_ENUM, lenient: { ...WRITER_ENUM, name: 'Lenient' } })),
    batches: [
      [
        { plain: 'PAID', lenient: 'LOST' },
        { plain: 'LOST', lenient: 'NEW' },
      ].map((value) =>
        framedAvro(
          1,
          avroRecord({ plain: WRITER_ENUM, lenient: { ...WRITER_ENUM, name: 'Lenient' } }),
          value,
        ),
      ),
    ],
    expected: {
      columns: { plain: 'string', lenient: 'string' },
      rows: ['{"plain":"PAID","lenient":"NEW"}'],
      letters: ['decode: expected one of 3 symbols, got number 2'],
    },
  },
  {
    id: 'avro-one-name-for-two-records',
    topic: REGISTRY_AVRO,
    registry: registryOf(
      avroRecord({
        home: { type: 'record', name: 'ConnectDefault', fields: [{ name: 'city', type: 'string' }] },
        work: { type: 'record', name: 'ConnectDefault', fields: [{ name: 'floor', type: 'int' }] },
      }),
    ),
    batches: [[framed(1, Buffer.from('064f736c06', 'hex'))]],
    expected: {
      error: 'KD_CONTRACT_INVALID: The contract cannot be used: /work: defines "shop.ConnectDefault" twice',
    },
  },
  {
    id: 'avro-containers-with-defaults',
    topic: { format: 'avro', framing: 'container', avro: { readerSchema: 'file:reader.avsc' } },
    files: {
      'reader.avsc': JSON.stringify({
        type: 'record',
        name: 'Item',
        namespace: 'shop',
        fields: [
          { name: 'id', type: 'long' },
          { name: 'count', type: 'int', default: 1 },
          { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
        ],
      }),
    },
    batches: [
      [
        containerOf(ITEM, [[framedAvro(0, ITEM, { id: 1n }).subarray(5)]]),
        containerOf(avroRecord({ count: 'int', id: 'int' }, 'Item'), [[Buffer.of(10, 4)]]),
      ],
    ],
    expected: {
      columns: { id: 'long', count: 'integer', tags: 'array<string>' },
      rows: ['{"id":1,"count":1,"tags":[]}', '{"id":2,"count":5,"tags":[]}'],
    },
  },
  {
    id: 'avro-several-records-in-one-topic',
    topic: { ...REGISTRY_AVRO, subject: 'events-shop.OrderPlaced' },
    registry: {
      ids: { 1: avroSchema(ORDER), 2: avroSchema(REFUND) },
      subjects: { 'events-shop.OrderPlaced': 1, 'events-shop.OrderRefunded': 2 },
    },
    batches: [
      [
        framedAvro(1, ORDER, { order_id: 1n, total: 2.5 }),
        framedAvro(2, REFUND, { order_id: 1n, reason: 'late' }),
        framedAvro(1, ORDER, { order_id: 2n, total: 3 }),
      ],
    ],
    expected: {
      columns: { order_id: 'long', total: 'double', reason: 'string' },
      rows: [
        '{"order_id":1,"total":2.5,"reason":null}',
        '{"order_id":1,"total":null,"reason":"late"}',
        '{"order_id":2,"total":3,"reason":null}',
      ],
    },
  },
  {
    id: 'avro-id-unknown-to-registry',
    topic: REGISTRY_AVRO,
    registry: registryOf(OLD),
    batches: [[framedAvro(1, OLD, { id: 1n }), framedAvro(999, OLD, { id: 2n })]],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":1}'],
      letters: ['decode: expected a schema id that the registry knows, got 999'],
    },
  },
  {
    id: 'avro-without-frame',
    topic: REGISTRY_AVRO,
    registry: registryOf(OLD),
    batches: [
      [
        framedAvro(1, OLD, { id: 1n }).subarray(5),
        '{"id":1}',
        Buffer.of(0, 0),
        framedAvro(1, OLD, { id: 3n }),
      ],
    ],
    expected: {
      columns: { id: 'long' },
      rows: ['{"id":3}'],
      letters: [
        'decode: expected the zero byte in front of a schema id, got none',
        'decode: expected the zero byte in front of a schema id, got none',
        'decode: expected a schema id of four bytes, got the end',
      ],
    },
  },
  {
    id: 'avro-windowed-key',
    topic: { ...REGISTRY_AVRO, transforms: { key: 'kafka.key' } },
    registry: registryOf(OLD),
    batches: [
      [
        {
          key: Buffer.concat([Buffer.from('user-1'), Buffer.from('0000019c9f6e5000', 'hex')]),
          value: framedAvro(1, OLD, { id: 1n }),
        },
      ],
    ],
    expected: {
      columns: { id: 'long', key: 'string' },
      rows: ['{"id":1,"key":"base64:dXNlci0xAAABnJ9uUAA="}'],
    },
  },
  avroRow(
    'avro-recursive',
    {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    },
    [{ id: 1n, next: null }],
    {
      error: 'KD_CONTRACT_INVALID: The contract cannot be used: /next',
    },
  ),
  avroRow(
    'avro-upper-case-names',
    avroRecord({ ID: 'long', CUSTOMER_NAME: optional('string') }),
    [{ ID: 1n, CUSTOMER_NAME: { string: 'Ada' } }],
    { columns: { ID: 'long', CUSTOMER_NAME: 'string' }, rows: ['{"ID":1,"CUSTOMER_NAME":"Ada"}'] },
  ),
  avroRow('avro-names-differ-in-case', avroRecord({ id: 'long', ID: 'long' }), [{ id: 1n, ID: 2n }], {
    error:
      'KD_CONTRACT_INVALID: The contract cannot be used: /ID: cannot be a column: its name is used twice, or reserved',
  }),
  {
    id: 'avro-key-of-a-tombstone',
    topic: { ...REGISTRY_AVRO, tombstones: 'row' },
    registry: registryOf(OLD),
    batches: [
      [
        { key: framedAvro(1, OLD, { id: 1n }), value: framedAvro(1, OLD, { id: 1n }) },
        { key: framedAvro(1, OLD, { id: 1n }), value: null },
        { key: framed(1, '{"id":1}'), value: null },
      ],
    ],
    expected: {
      columns: { id: 'long', _deleted: 'boolean' },
      rows: ['{"id":1,"_deleted":false}', '{"id":null,"_deleted":true}', '{"id":1,"_deleted":true}'],
    },
  },
  {
    id: 'avro-int-becomes-long',
    topic: REGISTRY_AVRO,
    registry: {
      ids: { 1: avroSchema(avroRecord({ n: 'int' })), 2: avroSchema(avroRecord({ n: 'long' })) },
      subjects: { 'events-value': 2 },
    },
    batches: [
      [
        framedAvro(1, avroRecord({ n: 'int' }), { n: 1 }),
        framedAvro(2, avroRecord({ n: 'long' }), { n: 2n ** 40n }),
      ],
    ],
    expected: { columns: { n: 'long' }, rows: ['{"n":1}', '{"n":1099511627776}'] },
  },
  {
    id: 'avro-referenced-schema',
    topic: REGISTRY_AVRO,
    registry: registryOf(
      avroRecord({ id: 'long', home: avroRecord(ADDRESS, 'Address'), work: 'shop.Address' }),
    ),
    batches: [[framed(1, Buffer.from('02084f736c6f0c42657267656e', 'hex'))]],
    expected: {
      columns: { id: 'long', home: 'struct<city: string>', work: 'struct<city: string>' },
      rows: ['{"id":1,"home":{"city":"Oslo"},"work":{"city":"Bergen"}}'],
    },
  },
  {
    id: 'avro-value-that-is-no-record',
    topic: REGISTRY_AVRO,
    registry: { ids: { 1: { schema: '"string"' } }, subjects: { 'events-value': 1 } },
    batches: [[framed(1, Buffer.from('0a68656c6c6f', 'hex'))]],
    expected: { error: 'KD_CONTRACT_INVALID: The contract cannot be used: a row is a record, got string' },
  },
]
