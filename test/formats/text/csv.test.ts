import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { csvFormat } from '../../../src/formats/text/csv.ts'
import type { FormatOptions } from '../../../src/formats/format.ts'
import type { CsvSettings } from '../../../src/formats/settings.ts'
import { formatContract } from '../../contracts/format.ts'
import { arrayOf, rawOf, structOf } from '../../support/flow/batches.ts'
import { CSV } from '../../support/values/csv.ts'
import { outcomesOf, type Outcome } from '../../support/flow/outcomes.ts'

const contract = contractOfTable(
  structOf({
    id: 'long',
    name: 'string',
    price: 'decimal(10,2)',
    ratio: 'double',
    ok: 'boolean',
    day: 'date',
    at: 'timestamp',
    tags: arrayOf('string'),
    raw: 'binary',
  }),
)
const NULLS = Object.fromEntries(contract.schema.fields.map(({ name }) => [name, null]))

function outcomeOf(text: string, settings: Partial<CsvSettings> = {}): Outcome | undefined {
  return outcomesOf(csvFormat(contract, { ...CSV, ...settings }), contract, rawOf([text]))[0]
}

formatContract({
  name: 'CSV',
  open: () => csvFormat(contract, CSV),
  contract,
  good: [
    {
      bytes: Buffer.from(
        '9007199254740993,"a ""b"", é",12.50,-1e-3,TRUE,2024-02-29,2024-02-29T12:00:00Z,"[""x"",null]",hi\r\n',
      ),
      row: {
        id: 9007199254740993n,
        name: 'a "b", é',
        price: new ExactNumber('12.50'),
        ratio: -0.001,
        ok: true,
        day: '2024-02-29',
        at: '2024-02-29T12:00:00.000000Z',
        tags: ['x', null],
        raw: 'aGk=',
      },
    },
    { bytes: Buffer.from('1,"",,,,,,,'), row: { ...NULLS, id: 1, name: '' } },
    {
      bytes: Buffer.from('\uFEFF2,"two\nlines",+.5,1.,0,,,,'),
      row: { ...NULLS, id: 2, name: 'two\nlines', price: new ExactNumber('0.50'), ratio: 1, ok: false },
    },
  ],
  bad: [
    '',
    '\n',
    '1,2',
    '1,,,,,,,,,',
    '1,,,,,,,,\n2,,,,,,,,',
    'x,,,,,,,,',
    '1.5,,,,,,,,',
    ',,1.234,,,,,,',
    ',,,0x10,,,,,',
    ',,,,yes,,,,',
    ',,,,constructor,,,,',
    ',,,,,2024-02-30,,,',
    ',,,,,,2024-02-29 12:00:00,,',
    ',,,,,,,[,',
    '1,"open,,,,,,,',
    '1,"a"b,,,,,,,',
  ].map((text) => Buffer.from(text)),
})

test('Delimiter, quote and null words are configurable; a quoted null word is text', () => {
  const settings = {
    delimiter: 'tab',
    quote: "'",
    nullWords: ['NULL', '\\N'],
    columns: ['name', 'id', 'ratio'],
  }
  assert.deepEqual(outcomeOf("'NULL'\tNULL\t\\N", settings), { row: { ...NULLS, name: 'NULL' } })
  assert.deepEqual(
    outcomeOf('a"b;5;2', { delimiter: ';', quote: 'none', columns: ['name', 'id', 'ratio'] }),
    {
      row: { ...NULLS, name: 'a"b', id: 5, ratio: 2 },
    },
  )
})

test('A header names the fields of its value, in any order; fields without a column are left out', () => {
  assert.deepEqual(outcomeOf('name,unknown,id\nAda,x,3\n', { header: true }), {
    row: { ...NULLS, id: 3, name: 'Ada' },
  })
  for (const text of ['name,id', 'name,name\na,b', 'name,id\na,1\nb,2'])
    assert.ok('reason' in (outcomeOf(text, { header: true }) as object), text)
})

test('The dead letter states what was expected', () => {
  assert.deepEqual(outcomeOf('1,2'), { reason: 'decode', message: 'expected 9 fields, got 2' })
  assert.deepEqual(outcomeOf('1,,,,,,,,\n2,,,,,,,,'), {
    reason: 'decode',
    message: 'expected one line, got 2',
  })
  assert.match(JSON.stringify(outcomeOf('x,,,,,,,,')), /\/id expected an integer/)
})

test('A null is null if the contract accepts it, otherwise the field is missing', () => {
  const strict = loadContract(
    {
      type: 'object',
      properties: { a: { type: ['string', 'null'] }, b: { type: 'string' }, c: { type: 'string' } },
      required: ['a', 'b'],
    },
    { source: 'test' },
  )
  const [row, lacking] = outcomesOf(csvFormat(strict, CSV), strict, rawOf([',x,', 'y,,z']))
  assert.deepEqual(row, { row: { a: null, b: 'x', c: null } })
  assert.match(JSON.stringify(lacking), /"contract".*b/)
})

test('A line without quotes gives the same row as the line with a quoted field', () => {
  for (const line of ['1,a b,2', '1,,', ',', ' 1 , é ,NULL', '1,2,3\r\n', "1,'2',3", '1,2,3\n', '1;2,3,\t'])
    for (const more of [{}, { nullWords: ['NULL'] }, { delimiter: ';' }] as Partial<CsvSettings>[]) {
      const columns = ['name', 'ok', 'url', 'x'].slice(0, line.split(more.delimiter ?? ',').length)
      const last = { columns: [...columns, 'last'] }
      const rest = `${more.delimiter ?? ','}z`
      const plain = outcomeOf(line.replace(/[\r\n]*$/, rest), { ...more, ...last })
      const quoted = outcomeOf(line.replace(/[\r\n]*$/, `${rest.slice(0, 1)}"z"`), { ...more, ...last })
      assert.deepEqual(plain, quoted, line)
      assert.deepEqual(outcomeOf(line, { ...more, columns }), plain, line)
    }
})

test('Columns that change while a stream runs are read from the next batch on', () => {
  let columns: FormatOptions = { schema: structOf({ a: 'string' }), plain: undefined }
  const format = csvFormat({ current: () => columns }, CSV)
  assert.deepEqual(format.decode(rawOf(['1', '2'])).objects, [{ a: '1' }, { a: '2' }])
  columns = { schema: structOf({ a: 'long', b: 'boolean' }), plain: undefined }
  assert.deepEqual(format.decode(rawOf(['1,true'])).objects, [{ a: 1, b: true }])
})
