import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify

/** Rows of change events that are not Debezium's own. */
export const OTHER_CHANGES: readonly CompatibilityRow[] = [
  {
    id: 'maxwell-changes',
    batches: [
      [
        json({
          database: 'shop',
          table: 'orders',
          type: 'insert',
          ts: 1_772_323_200,
          xid: 1,
          commit: true,
          data: { id: 1, name: 'Ada' },
        }),
        json({
          database: 'shop',
          table: 'orders',
          type: 'update',
          ts: 1_772_323_201,
          xid: 2,
          commit: true,
          data: { id: 1, name: 'Eve' },
          old: { name: 'Ada' },
        }),
        json({
          database: 'shop',
          table: 'orders',
          type: 'delete',
          ts: 1_772_323_202,
          xid: 3,
          commit: true,
          data: { id: 1, name: 'Eve' },
        }),
      ],
    ],
    expected: {
      columns: {
        database: 'string',
        table: 'string',
        type: 'string',
        ts: 'long',
        xid: 'long',
        commit: 'boolean',
        data: 'struct<id: long, name: string>',
        old: 'struct<name: string>',
      },
      rows: [
        '{"database":"shop","table":"orders","type":"insert","ts":1772323200,"xid":1,"commit":true,"data":{"id":1,"name":"Ada"},"old":null}',
        '{"database":"shop","table":"orders","type":"update","ts":1772323201,"xid":2,"commit":true,"data":{"id":1,"name":"Eve"},"old":{"name":"Ada"}}',
        '{"database":"shop","table":"orders","type":"delete","ts":1772323202,"xid":3,"commit":true,"data":{"id":1,"name":"Eve"},"old":null}',
      ],
    },
  },
  {
    id: 'maxwell-zero-date',
    ...contractOf(
      {
        data: {
          type: 'object',
          properties: { at: { type: ['string', 'null'], 'x-delta-type': 'timestamp_ntz' } },
        },
      },
      { table: { schemaEvolution: 'rescue' } },
    ),
    batches: [[json({ data: { at: '2026-03-01 10:00:00' } }), json({ data: { at: '0000-00-00 00:00:00' } })]],
    expected: {
      columns: { data: 'struct<at: timestamp_ntz>', _rescued_data: 'string' },
      rows: [
        '{"data":{"at":"2026-03-01T10:00:00.000000"},"_rescued_data":null}',
        '{"data":{"at":null},"_rescued_data":"{\\"data\\":{\\"at\\":\\"0000-00-00 00:00:00\\"}}"}',
      ],
    },
  },
  {
    id: 'maxwell-flattened',
    topic: {
      filter: "type == 'insert' || type == 'update' || type == 'delete'",
      transforms: {
        id: { expr: 'data.id', type: 'long' },
        name: { expr: 'data.name', type: 'string' },
        deleted: "type == 'delete'",
      },
      drop: ['data', 'old', 'xid', 'commit', 'database', 'table', 'type'],
    },
    batches: [
      [
        json({ database: 'shop', table: 'orders', type: 'insert', ts: 1, data: { id: 1, name: 'Ada' } }),
        json({ database: 'shop', table: 'orders', type: 'bootstrap-start', ts: 1, data: {} }),
        json({ database: 'shop', table: 'orders', type: 'delete', ts: 2, data: { id: 1, name: 'Ada' } }),
      ],
    ],
    expected: {
      columns: { ts: 'long', id: 'long', name: 'string', deleted: 'boolean' },
      rows: ['{"ts":1,"id":1,"name":"Ada","deleted":false}', '{"ts":2,"id":1,"name":"Ada","deleted":true}'],
      filtered: 1,
    },
  },
  {
    id: 'canal-changes',
    batches: [
      [
        json({
          data: [
            { id: '1', total: '2.50' },
            { id: '2', total: null },
          ],
          database: 'shop',
          es: 1_772_323_200_000,
          id: 1,
          isDdl: false,
          mysqlType: { id: 'bigint' },
          old: null,
          pkNames: ['id'],
          sql: '',
          table: 'orders',
          ts: 1_772_323_200_500,
          type: 'INSERT',
        }),
        json({
          data: [{ id: '1', total: '3.00' }],
          database: 'shop',
          es: 1,
          id: 2,
          isDdl: false,
          mysqlType: { id: 'bigint' },
          old: [{ total: '2.50' }],
          pkNames: ['id'],
          sql: '',
          table: 'orders',
          ts: 2,
          type: 'UPDATE',
        }),
      ],
    ],
    expected: {
      columns: {
        data: 'array<struct<id: string, total: string>>',
        database: 'string',
        es: 'long',
        id: 'long',
        isDdl: 'boolean',
        mysqlType: 'struct<id: string>',
        pkNames: 'array<string>',
        sql: 'string',
        table: 'string',
        ts: 'long',
        type: 'string',
        old: 'array<struct<total: string>>',
      },
      rows: [
        '{"data":[{"id":"1","total":"2.50"},{"id":"2","total":null}],"database":"shop","es":1772323200000,"id":1,"isDdl":false,"mysqlType":{"id":"bigint"},"pkNames":["id"],"sql":"","table":"orders","ts":1772323200500,"type":"INSERT","old":null}',
        '{"data":[{"id":"1","total":"3.00"}],"database":"shop","es":1,"id":2,"isDdl":false,"mysqlType":{"id":"bigint"},"pkNames":["id"],"sql":"","table":"orders","ts":2,"type":"UPDATE","old":[{"total":"2.50"}]}',
      ],
    },
  },
  {
    id: 'flink-debezium-json',
    topic: { envelope: 'debezium', debezium: { fields: ['op'] } },
    batches: [
      [
        json({ before: null, after: { id: 1, at: '2026-03-01 10:00:00' }, op: 'c' }),
        json({ before: { id: 1, at: null }, after: null, op: 'd' }),
      ],
    ],
    expected: {
      columns: { id: 'long', at: 'string', __op: 'string', __deleted: 'boolean' },
      rows: [
        '{"id":1,"at":"2026-03-01 10:00:00","__op":"c","__deleted":false}',
        '{"id":1,"at":null,"__op":"d","__deleted":true}',
      ],
    },
  },
  {
    id: 'tombstones-as-rows',
    ...contractOf({ id: { type: 'integer' }, name: { type: 'string' } }, { tombstones: 'row' }),
    batches: [
      [
        { key: '{"id":1}', value: '{"id":1,"name":"Ada"}' },
        { key: '{"id":1}', value: null },
        { key: '{"schema":{"type":"struct"},"payload":{"id":2}}', value: null },
        { key: 'x', value: null },
        { key: null, value: null },
      ],
    ],
    expected: {
      columns: { id: 'long', name: 'string', _deleted: 'boolean' },
      rows: [
        '{"id":1,"name":"Ada","_deleted":false}',
        '{"id":1,"name":null,"_deleted":true}',
        '{"id":2,"name":null,"_deleted":true}',
        '{"id":null,"name":null,"_deleted":true}',
        '{"id":null,"name":null,"_deleted":true}',
      ],
    },
  },
]
