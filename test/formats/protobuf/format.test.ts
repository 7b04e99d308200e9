import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { PipelineError } from '../../../src/core/errors.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import { protoContract } from '../../../src/formats/protobuf/columns.ts'
import { readProtoFile, parseRegisteredProto } from '../../../src/formats/protobuf/load.ts'
import { unframedProto, messageOfFile, protobufFormat } from '../../../src/formats/protobuf/format.ts'
import type { Format } from '../../../src/formats/format.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { askDuckdb, plain } from '../../support/duckdb.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'
import { fileOf } from '../../support/values/parquet-file.ts'
import { messagesOfAnyType, protoEncoderOf } from '../../support/values/proto-values.ts'

/** Returns the format of the first message of a file, or of the named one. */
function opened(text: string, name?: string): { format: Format; contract: Contract } {
  const file = parseRegisteredProto({ type: 'PROTOBUF', text, references: [] }, 'test')
  const message = messageOfFile(file, 'test', name)
  return { format: protobufFormat(unframedProto(message)), contract: protoContract(message, 'test') }
}

const ORDER = `
  syntax = "proto3";
  package test;
  import "google/protobuf/timestamp.proto";
  import "google/protobuf/duration.proto";
  import "google/protobuf/struct.proto";
  import "google/protobuf/wrappers.proto";
  import "google/protobuf/any.proto";
  message Order {
    enum Kind { VIEW = 0; BUY = 3; }
    message Item { string sku = 1; double price = 2; }
    int64 id = 1;
    Kind kind = 2;
    google.protobuf.Timestamp at = 3;
    google.protobuf.Duration took = 4;
    repeated Item items = 5;
    map<int32, Item> by_place = 6;
    oneof payment { string card = 7; uint64 cash = 8; }
    optional int32 rating = 9;
    google.protobuf.Struct extra = 10;
    google.protobuf.StringValue note = 11;
    google.protobuf.Any other = 12;
    bytes seal = 13;
    repeated sint32 deltas = 14;
  }`
const encodeOrder = protoEncoderOf(ORDER, 'test.Order')
const order = encodeOrder({
  id: '9007199254740993',
  kind: 3,
  at: { seconds: 1_700_000_000, nanos: 123_456_789 },
  took: { seconds: -1, nanos: -500_000_000 },
  items: [{ sku: 'é', price: 1.5 }, {}],
  by_place: { 7: { sku: 'b', price: 2 } },
  cash: '18446744073709551615',
  rating: 0,
  extra: { fields: { a: { listValue: { values: [{ boolValue: true }, { nullValue: 0 }] } } } },
  note: { value: '' },
  other: { type_url: 'type.example/x', value: Buffer.from('hi') },
  seal: Buffer.from([0, 255]),
  deltas: [-1, 2],
})
const ROW = {
  id: 9_007_199_254_740_993n,
  kind: 'BUY',
  at: '2023-11-14T22:13:20.123456Z',
  took: new ExactNumber('-1.500000000'),
  items: [
    { sku: 'é', price: 1.5 },
    { sku: '', price: 0 },
  ],
  by_place: { 7: { sku: 'b', price: 2 } },
  card: null,
  cash: new ExactNumber('18446744073709551615'),
  rating: 0,
  extra: '{"a":[true,null]}',
  note: '',
  other: { type_url: 'type.example/x', value: 'aGk=' },
  seal: 'AP8=',
  deltas: [-1, 2],
}
const EMPTY_ROW = {
  id: 0,
  kind: 'VIEW',
  at: null,
  took: null,
  items: [],
  by_place: {},
  card: null,
  cash: null,
  rating: null,
  extra: null,
  note: null,
  other: null,
  seal: '',
  deltas: [],
}

formatContract({
  name: 'Protobuf without a frame',
  open: () => opened(ORDER).format,
  contract: opened(ORDER).contract,
  good: [
    { bytes: order, row: ROW },
    { bytes: Buffer.alloc(0), row: EMPTY_ROW },
  ],
  bad: [
    order.subarray(0, -1),
    Buffer.from('0a01', 'hex'),
    Buffer.from('08ffffffffffffffffffff01', 'hex'),
    Buffer.from('00', 'hex'),
    Buffer.from('7a05ff', 'hex'),
    Buffer.alloc(40, 0xff),
  ],
})

test('Generated messages of generated types, encoded by another library, have equal values when DuckDB reads the Parquet file', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}; TEST_SEED=${seed} repeats it`)
  await fc.assert(
    fc.asyncProperty(messagesOfAnyType, async ({ text, message, pairs }) => {
      const { format, contract } = opened(text, message)
      const encode = protoEncoderOf(text, message)
      const rows = pairs.map(([, row]) => row as Record<string, unknown>)
      const outcomes = outcomesOf(format, contract, rawOf(pairs.map(([value]) => encode(value as object))))
      assert.deepEqual(
        outcomes,
        rows.map((row) => ({ row })),
      )
      const read = await askDuckdb(await fileOf(contract.schema, [rows]), 'SELECT * FROM FILE')
      const names = contract.schema.fields.map(({ name }) => name)
      assert.deepEqual(
        read.map((values): Record<string, unknown> =>
          Object.fromEntries(names.map((name, i) => [name, plain(values[i] ?? null)])),
        ),
        rows,
      )
    }),
    { seed, numRuns: 60 },
  )
})

/** Returns the result of decoding one value of a message with these fields. */
function outcomeOf(fields: string, hex: string, syntax = 'proto3'): unknown {
  const { format, contract } = opened(`syntax = "${syntax}"; ${fields}`)
  return outcomesOf(format, contract, rawOf([Buffer.from(hex, 'hex')]))[0]
}
const ONE = 'message M { int32 n = 1; }'

for (const [what, fields, hex, expected] of [
  ['A truncated number', ONE, '0880', /expected a number, got the end/],
  ['A number of eleven bytes', ONE, '08ffffffffffffffffffff01', /at most 10 bytes, got a longer one/],
  ['A length beyond the end', 'message M { string s = 1; }', '0a05', /expected 5 more bytes, got 0/],
  ['Another wire type', ONE, '0d01000000', /M: field 1 has the wire type 5, expected 0/],
  ['A field without a number', ONE, '0001', /expected a field number above 0/],
  ['Text that is not UTF-8', 'message M { string s = 1; }', '0a01ff', /expected UTF-8/],
  ['A group that does not end', ONE, '13', /expected a number, got the end/],
  ['The end tag of another group', ONE, '131c', /expected the end of a group, got that of another/],
  ['Endless nested groups', ONE, '13'.repeat(200), /at most 100 nested groups/],
  [
    'A message that ends after its own length',
    'message M { message N { int32 n = 1; } N n = 1; }',
    '0a020880',
    /got the end/,
  ],
] as const) {
  test(`${what} is a dead letter`, () => {
    const outcome = outcomeOf(fields, hex) as { reason: string; message: string }
    assert.equal(outcome.reason, 'decode')
    assert.match(outcome.message, expected)
  })
}

test('Nested JSON values are limited, and a few bytes cannot claim billions of values', () => {
  // Each level is a value that contains a list with a value.
  let nested = Buffer.from('2000', 'hex')
  for (let depth = 0; depth < 150; depth++) {
    const list = Buffer.concat([Buffer.from([0x0a]), varint(nested.length), nested])
    nested = Buffer.concat([Buffer.from([0x32]), varint(list.length), list])
  }
  const value = Buffer.concat([Buffer.from([0x0a]), varint(nested.length), nested])
  const json = opened(
    'syntax = "proto3"; import "google/protobuf/struct.proto"; message M { google.protobuf.Value v = 1; }',
  )
  const [deep] = outcomesOf(json.format, json.contract, rawOf([value]))
  assert.match(JSON.stringify(deep), /at most 100 nested lists and structs/)

  const fields = Array.from({ length: 200 }, (_, i) => `int32 f${i} = ${i + 1};`).join(' ')
  const wide = opened(`syntax = "proto3"; message M { repeated N n = 1; message N { ${fields} } }`)
  const [bomb] = outcomesOf(wide.format, wide.contract, rawOf([Buffer.from('0a00'.repeat(100_000), 'hex')]))
  assert.match(JSON.stringify(bomb), /expected at most 5000000 values, got more/)
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}

test('Undeclared fields, including groups, are left out and counted', () => {
  const { format } = opened(`syntax = "proto3"; ${ONE}`)
  const decoded = format.decode(rawOf([Buffer.from('10011a0161231801240805', 'hex')]))
  assert.deepEqual(decoded.objects, [{ n: 5 }])
  assert.equal(decoded.droppedFields, 3)
})

test('Fields of proto2: required, with a default, groups; an absent field without a default is null', () => {
  const fields = `message M {
    required int32 id = 1; optional string name = 2 [default = "nobody"]; optional int64 big = 3 [default = -5];
    optional bool none = 4; optional group Place = 5 { optional int32 x = 1; } optional K k = 6 [default = B];
    enum K { A = 0; B = 1; } }`
  assert.deepEqual(outcomeOf(fields, '08012b080a2c', 'proto2'), {
    row: { id: 1, name: 'nobody', big: -5, none: null, place: { x: 10 }, k: 'B' },
  })
  assert.match(
    JSON.stringify(outcomeOf(fields, '2001', 'proto2')),
    /expected the required field M.id, got none/,
  )
})

test('The last value of a field counts, parts of one message are merged, and numbers may be packed or not', () => {
  const message =
    'message M { int32 n = 1; N m = 2; repeated int32 list = 3; oneof o { int32 a = 4; int32 b = 5; } message N { int32 x = 1; int32 y = 2; } }'
  assert.deepEqual(outcomeOf(message, '08010802120208011202100218011a020203200128022003'), {
    row: { n: 2, m: { x: 1, y: 2 }, list: [1, 2, 3], a: 3, b: null },
  })
})

test('A type with a new field decodes older messages, and an older type decodes newer messages', () => {
  const before = 'syntax = "proto3"; message M { int32 a = 1; }'
  const after = 'syntax = "proto3"; message M { int32 a = 1; optional string b = 2; }'
  const old = opened(before)
  const now = opened(after)
  const written = protoEncoderOf(after, 'M')({ a: 1, b: 'x' })
  assert.deepEqual(outcomesOf(old.format, old.contract, rawOf([written])), [{ row: { a: 1 } }])
  const earlier = protoEncoderOf(before, 'M')({ a: 1 })
  assert.deepEqual(outcomesOf(now.format, now.contract, rawOf([earlier])), [{ row: { a: 1, b: null } }])
})

test('A file is read together with its imports, next to it and in the folders above', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-proto-'))
  try {
    await mkdir(join(folder, 'acme', 'orders'), { recursive: true })
    const file = join(folder, 'acme', 'orders', 'order.proto')
    await writeFile(
      join(folder, 'acme', 'money.proto'),
      'syntax = "proto3"; package acme; message Money { string currency = 1; int64 units = 2; }',
    )
    await writeFile(
      join(folder, 'acme', 'orders', 'item.proto'),
      'syntax = "proto3"; package acme.orders; import "acme/money.proto"; message Item { acme.Money price = 1; }',
    )
    await writeFile(
      file,
      'syntax = "proto3"; package acme.orders; import "item.proto"; import "google/protobuf/timestamp.proto"; message First { int32 n = 1; } message Order { Item item = 1; google.protobuf.Timestamp at = 2; }',
    )
    const read = await readProtoFile(file)
    assert.equal(messageOfFile(read, file).name, 'acme.orders.First')
    const { schema } = protoContract(messageOfFile(read, file, 'acme.orders.Order'), file)
    assert.match(JSON.stringify(schema), /"currency"/)
    await assert.rejects(
      async () => messageOfFile(await readProtoFile(file), file, 'acme.orders.Nope'),
      /there is no message acme.orders.Nope; there are acme.orders.First, acme.orders.Order/,
    )
    await writeFile(file, 'syntax = "proto3"; import "gone.proto"; message M { int32 n = 1; }')
    await assert.rejects(
      readProtoFile(file),
      /"gone.proto" is imported, but is neither in the folder of the file nor in one above/,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

for (const [what, text, pattern] of [
  [
    'A recursive message',
    'message M { N n = 1; message N { repeated M m = 1; } }',
    /M is recursive, and a table column cannot be/,
  ],
  ['An undefined type', 'message M { Nope n = 1; }', /Nope/],
  [
    'Two fields that differ only in case',
    'message M { int32 a = 1; int32 A = 2; }',
    /M.A: cannot be a column/,
  ],
  ['A recursive field', 'message M { int32 a = 1; M m = 2; }', /M\.m: M is recursive/],
  ['A row without fields', 'message M { }', /a row is a message with fields of its own, got M/],
  ['Text that is not a schema', 'massage M {', /illegal token 'massage'/],
  ['A file without a message', 'enum E { A = 0; }', /has no message/],
] as const) {
  test(`${what} is refused with its location`, () => {
    assert.throws(
      () => opened(`syntax = "proto3"; ${text}`),
      (error) =>
        error instanceof PipelineError && error.code === 'KD_CONTRACT_INVALID' && pattern.test(error.message),
    )
  })
}

/** Returns the format of the first message of a text. */
const formatOf = (text: string): Format =>
  protobufFormat(
    unframedProto(
      messageOfFile(parseRegisteredProto({ type: 'PROTOBUF', text, references: [] }, 'test'), 'test'),
    ),
  )
const TREE = `syntax = "proto3"; message Tree { int32 n = 1; repeated Tree more = 2; map<string, Tree> named = 3;
  int32 N = 4; }`

test('What no column can hold is read all the same: recursion, and names that differ in case', () => {
  const { objects, writers, deadLetters } = formatOf(TREE).decode(
    rawOf([Buffer.from('0801120208021a070a0161120208032004', 'hex')]),
  )
  assert.deepEqual(deadLetters, [])
  const [row] = objects as [Record<string, unknown>]
  assert.deepEqual([row['n'], row['N']], [1, 4])
  const [child] = row['more'] as [Record<string, unknown>]
  assert.deepEqual([child['n'], child['N'], child['more']], [2, 0, []])
  assert.equal((row['named'] as Record<string, { n: number }>)['a']?.n, 3)
  const [writer] = writers ?? []
  assert.ok(writer !== undefined)
  assert.deepEqual(
    writer.columns.fields.map(({ name }) => name),
    ['n'],
  )
  assert.deepEqual(
    writer.columnFaults?.map(({ path }) => path.join('.')),
    ['more', 'named', 'N'],
  )
})

test('Messages may nest a hundred levels', () => {
  const format = formatOf('syntax = "proto3"; message M { M m = 1; int32 a = 2; }')
  const nested = (levels: number): Buffer => {
    let value: Buffer = Buffer.of(0x10, 1)
    for (let i = 0; i < levels; i++) value = Buffer.concat([Buffer.of(0x0a), varint(value.length), value])
    return value
  }
  const { objects, deadLetters } = format.decode(rawOf([nested(100), nested(101), nested(5_000)]))
  assert.equal(objects.length, 1)
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    Array.from({ length: 2 }, () => 'expected at most 100 nested messages, got more'),
  )
})

test('A required field is found missing inside a recursive message', () => {
  const format = formatOf('syntax = "proto2"; message M { required int32 a = 1; optional M m = 2; }')
  const { objects, deadLetters } = format.decode(
    rawOf([
      Buffer.from('080112020802', 'hex'),
      Buffer.from('0801120412020802', 'hex'),
      Buffer.from('08011200', 'hex'),
    ]),
  )
  assert.equal(objects.length, 1)
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    Array.from({ length: 2 }, () => 'expected the required field M.a, got none'),
  )
})

test('A number that is not finite is a dead letter, also inside a message', () => {
  const format = formatOf(
    'syntax = "proto3"; message M { double d = 1; N n = 2; message N { float f = 1; } }',
  )
  const values = ['09000000000000f87f', '12050d0000807f', '09000000000000f03f']
  const { objects, deadLetters } = format.decode(rawOf(values.map((hex) => Buffer.from(hex, 'hex'))))
  assert.deepEqual(objects, [{ d: 1, n: null }])
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    ['expected a finite number, got NaN', 'expected a finite number, got Infinity'],
  )
})

test('A file may begin with a byte order mark', () => {
  const { objects } = formatOf('\ufeffsyntax = "proto3"; message M { int32 a = 1; }').decode(
    rawOf([Buffer.of(8, 5)]),
  )
  assert.deepEqual(objects, [{ a: 5 }])
})
