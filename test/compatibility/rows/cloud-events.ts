import { contractOf } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

const json = JSON.stringify
const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'A234-1234-1234',
  source: '/shop/orders',
  type: 'shop.order.placed',
  time: '2026-03-01T10:00:00.123Z',
  datacontenttype: 'application/json',
}

/** Rows of CloudEvents SDKs. */
export const CLOUD_EVENTS: readonly CompatibilityRow[] = [
  {
    id: 'cloudevents-structured',
    topic: { inference: { timestamps: true } },
    batches: [
      [
        {
          value: json({ ...CLOUD_EVENT, data: { orderId: 1, total: 2.5 } }),
          headers: { 'content-type': 'application/cloudevents+json' },
        },
      ],
    ],
    expected: {
      columns: {
        specversion: 'string',
        id: 'string',
        source: 'string',
        type: 'string',
        time: 'timestamp',
        datacontenttype: 'string',
        data: 'struct<orderId: long, total: double>',
      },
      rows: [
        '{"specversion":"1.0","id":"A234-1234-1234","source":"/shop/orders","type":"shop.order.placed","time":"2026-03-01T10:00:00.123000Z","datacontenttype":"application/json","data":{"orderId":1,"total":2.5}}',
      ],
    },
  },
  {
    id: 'cloudevents-binary',
    topic: {
      transforms: {
        event_id: 'kafka.headers.ce_id',
        event_type: 'kafka.headers.ce_type',
        event_time: { expr: "kafka_header('ce_time')", type: 'timestamp' },
      },
    },
    batches: [
      [
        {
          value: json({ orderId: 1 }),
          headers: {
            ce_specversion: '1.0',
            ce_id: 'A1',
            ce_type: 'shop.order.placed',
            ce_time: '2026-03-01T10:00:00Z',
            'content-type': 'application/json',
          },
        },
        { value: json({ orderId: 2 }) },
      ],
    ],
    expected: {
      columns: { orderId: 'long', event_id: 'string', event_type: 'string', event_time: 'timestamp' },
      rows: [
        '{"orderId":1,"event_id":"A1","event_type":"shop.order.placed","event_time":"2026-03-01T10:00:00.000000Z"}',
        '{"orderId":2,"event_id":null,"event_type":null,"event_time":null}',
      ],
    },
  },
  {
    id: 'cloudevents-data-base64',
    ...contractOf(
      { id: { type: 'string' }, data_base64: { type: 'string', contentEncoding: 'base64' } },
      { table: { schemaEvolution: 'none' } },
    ),
    batches: [[json({ ...CLOUD_EVENT, datacontenttype: 'application/octet-stream', data_base64: 'AP8=' })]],
    expected: {
      columns: { id: 'string', data_base64: 'binary' },
      rows: ['{"id":"A234-1234-1234","data_base64":"AP8="}'],
      droppedFields: 5,
    },
  },
  {
    id: 'cloudevents-batch',
    batches: [
      [
        json({ ...CLOUD_EVENT, data: 1 }),
        { value: json([CLOUD_EVENT]), headers: { 'content-type': 'application/cloudevents-batch+json' } },
      ],
    ],
    expected: {
      columns: {
        specversion: 'string',
        id: 'string',
        source: 'string',
        type: 'string',
        time: 'string',
        datacontenttype: 'string',
        data: 'long',
      },
      rows: [
        '{"specversion":"1.0","id":"A234-1234-1234","source":"/shop/orders","type":"shop.order.placed","time":"2026-03-01T10:00:00.123Z","datacontenttype":"application/json","data":1}',
      ],
      letters: ['decode: expected a JSON object, got an array'],
    },
  },
]
