import { contractOf, framed, jsonSchemaRow } from '../support/messages.ts'
import type { CompatibilityRow } from '../support/row.ts'

/** Rows of producers with Confluent's JSON Schema serializers. */
export const JSON_SCHEMA: readonly CompatibilityRow[] = [
  jsonSchemaRow(
    'json-schema-java',
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Order',
      type: 'object',
      additionalProperties: false,
      properties: {
        id: { type: 'integer' },
        name: { oneOf: [{ type: 'null', title: 'Not included' }, { type: 'string' }] },
        address: { oneOf: [{ type: 'null', title: 'Not included' }, { $ref: '#/definitions/Address' }] },
      },
      required: ['id'],
      definitions: {
        Address: {
          type: 'object',
          additionalProperties: false,
          properties: { city: { oneOf: [{ type: 'null', title: 'Not included' }, { type: 'string' }] } },
        },
      },
    },
    [
      { id: 1, name: null, address: { city: 'Oslo' } },
      { id: 2, name: 'Ada', address: null },
      { id: 'three' },
    ],
    {
      columns: { id: 'long', name: 'string', address: 'struct<city: string>' },
      rows: ['{"id":1,"name":null,"address":{"city":"Oslo"}}', '{"id":2,"name":"Ada","address":null}'],
      letters: ['contract: /id must be integer, got "three"'],
    },
  ),
  jsonSchemaRow(
    'json-schema-dotnet',
    {
      $schema: 'http://json-schema.org/draft-04/schema#',
      title: 'Order',
      type: 'object',
      additionalProperties: false,
      properties: {
        Id: { type: 'integer', format: 'int32' },
        Total: { type: 'number', format: 'decimal' },
        At: { type: 'string', format: 'date-time' },
        Note: { type: ['null', 'string'] },
      },
    },
    [{ Id: 1, Total: 12.5, At: '2026-03-01T10:00:00.1234567+01:00', Note: null }],
    {
      columns: { Id: 'long', Total: 'double', At: 'timestamp', Note: 'string' },
      rows: ['{"Id":1,"Total":12.5,"At":"2026-03-01T09:00:00.123456Z","Note":null}'],
    },
  ),
  jsonSchemaRow(
    'json-schema-python',
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'User',
      description: 'A user',
      type: 'object',
      properties: { name: { type: 'string' }, favorite_number: { type: 'number', exclusiveMinimum: 0 } },
      required: ['name'],
    },
    [
      { name: 'Ada', favorite_number: 7 },
      { name: 'Eve', favorite_number: 0 },
    ],
    {
      columns: { name: 'string', favorite_number: 'double' },
      rows: ['{"name":"Ada","favorite_number":7}'],
      letters: ['contract: /favorite_number must be > 0, got 0'],
    },
  ),
  jsonSchemaRow(
    'json-schema-one-of-objects',
    {
      type: 'object',
      properties: {
        id: { type: 'integer' },
        payment: {
          oneOf: [
            { type: 'object', properties: { card: { type: 'string' } } },
            { type: 'object', properties: { iban: { type: 'string' } } },
          ],
        },
      },
    },
    [{ id: 1, payment: { card: '4711' } }],
    {
      error:
        'KD_CONTRACT_INVALID: The contract cannot be used: /properties/payment/oneOf: its alternatives differ in type; a column has one type',
    },
  ),
  jsonSchemaRow(
    'json-schema-any-value',
    { type: 'object', properties: { id: { type: 'integer' }, anything: {} } },
    [{ id: 1, anything: { a: 1 } }],
    {
      error:
        'KD_CONTRACT_INVALID: The contract cannot be used: /properties/anything: has no type from which a column type follows; add a type or x-delta-type',
    },
  ),
  {
    id: 'json-schema-any-value-with-a-contract',
    ...contractOf(
      { id: { type: 'integer' }, anything: { 'x-delta-type': 'string' } },
      { format: 'json', framing: 'registry' },
    ),
    registry: {
      ids: {
        1: {
          schemaType: 'JSON',
          schema: JSON.stringify({ type: 'object', properties: { id: { type: 'integer' }, anything: {} } }),
        },
      },
      subjects: { 'events-value': 1 },
    },
    batches: [[framed(1, '{"id":1,"anything":{"a":1}}'), framed(1, '{"id":2,"anything":[1.50]}')]],
    expected: {
      columns: { id: 'long', anything: 'string' },
      rows: ['{"id":1,"anything":"{\\"a\\":1}"}', '{"id":2,"anything":"[1.5]"}'],
    },
  },
  jsonSchemaRow(
    'json-schema-connect',
    {
      type: 'object',
      title: 'shop.Order',
      properties: {
        id: { type: 'integer', 'connect.type': 'int32', 'connect.index': 0 },
        day: {
          type: 'integer',
          title: 'org.apache.kafka.connect.data.Date',
          'connect.type': 'int32',
          'connect.version': 1,
        },
        price: {
          type: 'number',
          title: 'org.apache.kafka.connect.data.Decimal',
          'connect.type': 'bytes',
          'connect.parameters': { scale: '2' },
        },
        raw: { type: 'string', 'connect.type': 'bytes' },
        labels: { type: 'object', 'connect.type': 'map', additionalProperties: { type: 'string' } },
      },
    },
    [{ id: 1, day: 20_513, price: 8.5, raw: 'AP8=', labels: { a: 'b' } }],
    {
      columns: { id: 'long', day: 'long', price: 'double', raw: 'string', labels: 'map<string, string>' },
      rows: ['{"id":1,"day":20513,"price":8.5,"raw":"AP8=","labels":{"a":"b"}}'],
    },
  ),
]
