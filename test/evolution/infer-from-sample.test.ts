import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describeAddedColumns,
  inferColumns,
  listUnmappedFields,
} from '../../src/evolution/infer-from-sample.ts'
import type { WriterSchema } from '../../src/formats/format.ts'
import { parseExact } from '../../src/formats/json/exact.ts'
import { structOf } from '../support/flow/batches.ts'

const messagesOf = (texts: readonly string[]): object[] =>
  texts.map((text) => parseExact(text, { keepFractions: true }) as object)

const columnsOf = (texts: readonly string[], timestamps = false): string =>
  describeAddedColumns(inferColumns(messagesOf(texts), { timestamps })).join('; ')

test('Columns are inferred from all messages together, in order of first appearance', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['{"id":1,"ok":true}', '{"name":"x","id":2}'], '+ id long; + ok boolean; + name string'],
    [
      ['{"n":null}', '{"n":[]}', '{"n":[null,{"a":1}]}', '{"n":[{"b":"x"}]}'],
      '+ n array<struct<a: long, b: string>>',
    ],
    [['{"Id":1}', '{"ID":2.5}'], '+ Id double'],
    [['{"n":1}', '{"n":"x"}'], '+ n string'],
    [['{"o":{"a":1}}', '{"o":5}'], '+ o string'],
    [['{"n":9223372036854775807}', '{"n":1}'], '+ n long'],
    [['{"n":9223372036854775808}'], '+ n string'],
    [['{"a b":1,"c":2}'], '+ c long'],
  ]
  for (const [texts, columns] of cases) assert.equal(columnsOf(texts), columns, texts.join(' '))
})

test('Numbers are integers only if no value of the column has a fraction or an exponent', () => {
  for (const number of ['1.0', '-0.0', '1e3', '1E+2', '100000000000000000000.0', '2.5'])
    assert.equal(columnsOf([`{"n":1}`, `{"n":${number}}`]), '+ n double', number)
  assert.equal(columnsOf(['{"n":[1,2.0],"s":"1.0"}']), '+ n array<double>; + s string')
  assert.equal(columnsOf(['{"n":1}', '{"n":-2}']), '+ n long')
})

test('Text becomes a timestamp or a date only with the option set, and if every text of the column is one', () => {
  const texts = [
    '{"t":"2026-02-28T10:00:00Z","d":"2026-02-28","l":["2026-02-28 10:00:00.5+01:00"],"o":{"t":"0001-01-01T00:00:00Z"}}',
    '{"t":null,"d":"2024-02-29","l":[],"o":{}}',
  ]
  assert.equal(columnsOf(texts), '+ t string; + d string; + l array<string>; + o struct<t: string>')
  assert.equal(
    columnsOf(texts, true),
    '+ t timestamp; + d date; + l array<timestamp>; + o struct<t: timestamp>',
  )
  for (const text of ['2026-02-30T10:00:00Z', '2026-02-28T10:00:00', '2026-02-30', 'x', ''])
    assert.equal(
      columnsOf(['{"t":"2026-02-28T10:00:00Z","d":"2026-02-28"}', `{"t":"${text}","d":"${text}"}`], true),
      '+ t string; + d string',
    )
  assert.equal(columnsOf(['{"t":"2026-02-28T10:00:00Z"}', '{"t":"2026-02-28"}'], true), '+ t string')
})

test('Columns that the configuration fills are left out, and fields that cannot become columns are listed', () => {
  const hidden = (name: string): boolean => name === 'day'
  const messages = messagesOf(['{"day":1,"a b":1,"o":{"":2,"x":null},"__proto__":1}', '{"Day":1,"x":1}'])
  const schema = inferColumns(messages, { timestamps: false, isHidden: hidden })
  assert.equal(
    describeAddedColumns(schema).join('; '),
    '+ x long; + o string'.split('; ').reverse().join('; '),
  )
  assert.deepEqual(listUnmappedFields(messages, schema, hidden), ['a b', '__proto__'])
})

test('At most 500 columns are inferred, whatever the messages contain', () => {
  const messages = Array.from({ length: 600 }, (_, i) => ({ [`c${i}`]: 1 }))
  assert.equal(inferColumns(messages, { timestamps: false }).fields.length, 500)
})

test('Messages that name a schema have its columns; values are asked for the others, and for what no schema describes', () => {
  const columns = structOf({ id: 'integer', price: 'double', s: structOf({ a: 'float' }), never: 'date' })
  const writer: WriterSchema = { columns, columnFaults: [{ path: ['tree'], message: 'recursive' }] }
  const wider: WriterSchema = { columns: structOf({ id: 'long', price: 'timestamp' }) }
  const messages = messagesOf([
    '{"id":1,"price":2,"s":{"a":1},"tree":{"x":1}}',
    '{"id":2,"price":3,"extra":"2026-01-01"}',
    '{"id":2.5,"price":"x","more":1}',
  ])
  const inferred = (writers: readonly (WriterSchema | undefined)[]): string =>
    describeAddedColumns(inferColumns(messages, { timestamps: true, writers })).join('; ')
  const described = '+ id integer; + price double; + s struct<a: float>; + never date; + extra date'
  assert.equal(inferred([writer, writer, writer]), `${described}; + more long`)
  assert.equal(inferred([writer, writer]), `${described}; + more long`)
  assert.equal(
    inferred([writer, wider]),
    `${described}; + more long`.replace('id integer', 'id long').replace('double', 'string'),
  )
  assert.equal(
    describeAddedColumns(inferColumns(messages.slice(2), { timestamps: true })).join('; '),
    '+ id double; + price string; + more long',
  )
})
