import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowAt } from '../../../../src/arrow/values.ts'
import { ExactNumber } from '../../../../src/core/exact.ts'
import type { StructType } from '../../../../src/core/schema.ts'
import { plainContractOf } from '../../../../src/evolution/plain.ts'
import type { Decoded, FormatOptions } from '../../../../src/formats/format.ts'
import { protoWriterSchema } from '../../../../src/formats/protobuf/columns.ts'
import {
  messageOfFile,
  protobufFormat,
  registryFramedProto,
  unframedProto,
} from '../../../../src/formats/protobuf/format.ts'
import { parseRegisteredProto } from '../../../../src/formats/protobuf/load.ts'
import type { ProtoMessage } from '../../../../src/formats/protobuf/schema.ts'
import { fuzzProtobuf } from '../../../fuzz/protobuf.ts'
import { rawOf, structOf } from '../../../support/flow/batches.ts'
import { chanceOf } from '../../../support/values/chance.ts'
import { protoEncoderOf } from '../../../support/values/proto-values.ts'

const PROTO2 = 'syntax = "proto2";'
const PROTO3 = 'syntax = "proto3";'
const HEX = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

function messageOf(text: string): ProtoMessage {
  const syntax = text.startsWith('syntax') ? '' : PROTO3
  const imports = ['timestamp', 'duration', 'wrappers', 'struct', 'empty'].map(
    (name) => `import "google/protobuf/${name}.proto";`,
  )
  const all = text.startsWith('syntax')
    ? text.replace(';', `; ${imports.join(' ')}`)
    : `${syntax} ${imports.join(' ')} ${text}`
  return messageOfFile(parseRegisteredProto({ type: 'PROTOBUF', text: all, references: [] }, 'test'), 'test')
}

function optionsOf(schema: StructType, more: Partial<FormatOptions> = {}): FormatOptions {
  return { schema, plain: plainContractOf(schema, undefined), unknownFields: 'leave', ...more }
}

/** Decodes values of the first message into the columns that it describes, or into those given. */
function decoded(text: string, values: readonly Uint8Array[], more: Partial<FormatOptions> = {}): Decoded {
  const message = messageOf(text)
  const { schema = protoWriterSchema(message).columns, ...rest } = more
  return protobufFormat(unframedProto(message), optionsOf(schema, rest)).decode(rawOf(values))
}

/** The rows, all of which must have become columns directly. */
function rows(text: string, values: readonly Uint8Array[], more: Partial<FormatOptions> = {}): unknown[] {
  const { validated, slow } = decoded(text, values, more)
  assert.equal(slow, undefined)
  assert.ok(validated?.records.length === values.length)
  return Array.from(values, (_, i) => rowAt(validated.columns, i))
}

test('Both ways make the same of any message', async (t) => {
  const { seed } = chanceOf(t)
  const { differences, columnar, inputs } = await fuzzProtobuf(18_000, seed)
  assert.deepEqual(differences.slice(0, 3), [])
  assert.ok(columnar > inputs / 8, `${columnar} of ${inputs} became columns`)
})

test('Integers keep all of their bits', () => {
  const text = `message A { int32 a = 1; sint64 b = 2; uint64 c = 3; fixed64 d = 4; int64 e = 5; uint32 f = 6; sfixed64 g = 7; }`
  assert.deepEqual(
    rows(text, [
      HEX(
        '08 ffffffffffffffffff01 10 ffffffffffffffffff01 18 ffffffffffffffffff01 21 ffffffffffffffff 28 80808080808080808001 30 ffffffff0f 39 0000000000000080',
      ),
      HEX('08 80808080f8ffffffff01 10 01 18 80808080808080c001'),
      Buffer.alloc(0),
    ]),
    [
      {
        a: -1,
        b: -(2n ** 63n),
        c: new ExactNumber(String(2n ** 64n - 1n)),
        d: new ExactNumber(String(2n ** 64n - 1n)),
        e: -(2n ** 63n),
        f: 4_294_967_295,
        g: -(2n ** 63n),
      },
      {
        a: -2_147_483_648,
        b: -1,
        c: new ExactNumber(String(3n << 55n)),
        d: new ExactNumber('0'),
        e: 0,
        f: 0,
        g: 0,
      },
      { a: 0, b: 0, c: new ExactNumber('0'), d: new ExactNumber('0'), e: 0, f: 0, g: 0 },
    ],
  )
})

test('A floating-point number keeps the sign of zero; one that is not finite is left to the slow way', () => {
  const text = 'message A { double d = 1; float f = 2; }'
  const [row] = rows(text, [HEX('09 0000000000000080 15 00000080')]) as [{ d: number; f: number }]
  assert.deepEqual([Object.is(row.d, -0), Object.is(row.f, -0)], [true, true])
  const { slow, deadLetters } = decoded(text, [HEX('09 000000000000f07f'), HEX('15 0000c07f')])
  assert.deepEqual([slow, deadLetters.length], [{ value: 2 }, 2])
})

test('Times are those of the slow way, also before 1970 and in the years 1 and 9999', () => {
  const text = 'message A { google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; }'
  const encode = protoEncoderOf(
    `${PROTO3} import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; ${text}`,
    'A',
  )
  const values = [
    { at: { seconds: -62_135_596_800 }, took: { seconds: 315_576_000_000, nanos: 999_999_999 } },
    { at: { seconds: 253_402_300_799, nanos: 999_999_999 }, took: { seconds: -315_576_000_000, nanos: -1 } },
    { at: { seconds: -1, nanos: 1_999 }, took: { seconds: 0, nanos: -1 } },
    {},
  ]
  assert.deepEqual(rows(text, values.map(encode)), [
    { at: '0001-01-01T00:00:00.000000Z', took: new ExactNumber('315576000000.999999999') },
    { at: '9999-12-31T23:59:59.999999Z', took: new ExactNumber('-315576000000.000000001') },
    { at: '1969-12-31T23:59:59.000001Z', took: new ExactNumber('-0.000000001') },
    { at: null, took: null },
  ])
})

test('Text must be UTF-8 and may have any length', () => {
  const text = 'message A { string s = 1; }'
  const encode = protoEncoderOf(`${PROTO3} ${text}`, 'A')
  const texts = ['', 'a', '\u{1F600}é', '\uFEFF', `${'x'.repeat(5)}é`, 'é'.repeat(400), '\0']
  assert.deepEqual(
    rows(
      text,
      texts.map((s) => encode({ s })),
    ),
    texts.map((s) => ({ s })),
  )
  const invalid = [
    '0a 01 ff',
    '0a 02 c080',
    '0a 03 eda080',
    '0a 04 f4908080',
    '0a 02 e282',
    '0a 05 61616161c3',
  ].map(HEX)
  assert.deepEqual(decoded(text, invalid).slow, { value: invalid.length })
})

test('Presence, defaults and required fields are those of the slow way', () => {
  const text = `${PROTO2} message A { optional int32 a = 1; optional string b = 2 [default = "dé"]; required bool c = 3;
    optional E e = 4; optional bytes d = 5 [default = "x"]; enum E { FIRST = 1; SECOND = 2; } }`
  assert.deepEqual(rows(text, [HEX('18 01'), HEX('18 00 20 02 2a 00')]), [
    { a: null, b: 'dé', c: true, e: null, d: 'eA==' },
    { a: null, b: 'dé', c: false, e: 'SECOND', d: '' },
  ])
  const { slow, deadLetters } = decoded(text, [HEX('08 01'), HEX('18 01 20 07')])
  assert.deepEqual(slow, { value: 2 })
  assert.match(deadLetters[0]?.message ?? '', /required field A\.c/)
})

test('Repeated fields may be packed or not, in any order among others', () => {
  const text =
    'message A { repeated int32 n = 1; repeated string s = 2; repeated M m = 3; message M { int32 x = 1; } }'
  assert.deepEqual(
    rows(text, [HEX('08 01 12 01 61 0a 02 02 03 12 00 1a 02 08 05 08 04 1a 00 0a 00'), Buffer.alloc(0)]),
    [
      { n: [1, 2, 3, 4], s: ['a', ''], m: [{ x: 5 }, { x: 0 }] },
      { n: [], s: [], m: [] },
    ],
  )
})

test('Entries of a map keep their order; those that an object merges or moves are left to the slow way', () => {
  const text = 'message A { map<string, int32> m = 1; map<int64, M> n = 2; message M { string s = 1; } }'
  const entry = (key: string, value: number): string => {
    const bytes = Buffer.from(key)
    return Buffer.concat([
      Buffer.of(10, bytes.length + 4, 10, bytes.length),
      bytes,
      Buffer.of(16, value),
    ]).toString('hex')
  }
  const found = decoded(text, [
    HEX(`${entry('b', 1)}${entry('a', 2)}`),
    HEX(`${entry('1', 1)}${entry('2', 2)}${entry('a', 3)}`),
    HEX('12 00 12 02 0805 12 0b 08 ffffffffffffffffff01'),
    HEX(`${entry('a', 1)}${entry('a', 2)}`),
    HEX(`${entry('2', 1)}${entry('1', 2)}`),
    HEX(`${entry('a', 1)}${entry('1', 2)}`),
  ])
  assert.deepEqual(found.slow, { value: 3 })
  const { validated } = found
  assert.deepEqual(
    [0, 1, 2].map((i) => JSON.stringify(validated && rowAt(validated.columns, i))),
    [
      '{"m":{"b":1,"a":2},"n":{}}',
      '{"m":{"1":1,"2":2,"a":3},"n":{}}',
      '{"m":{},"n":{"0":{"s":""},"5":{"s":""},"-1":{"s":""}}}',
    ],
  )
})

test('A second value, a second member of a oneof and a wrong wire type are left to the slow way', () => {
  const text =
    'message A { int32 a = 1; oneof o { int32 b = 2; string c = 3; } M m = 4; message M { int32 x = 1; } }'
  const values = [
    '08 01 08 02',
    '10 01 1a 00',
    '10 01 10 02',
    '0a 00',
    '22 02 0801 22 00',
    '0c',
    '08',
    '22 05 08',
  ].map(HEX)
  assert.deepEqual(decoded(text, values).slow, { value: values.length })
  assert.deepEqual(rows(text, [HEX('1a 00 08 05')]), [{ a: 5, b: null, c: '', m: null }])
})

test('Groups, wrappers and JSON become columns', () => {
  const group = `${PROTO2} message A { optional group G = 1 { optional int32 x = 2; } repeated group H = 3 { optional string s = 1; } }`
  assert.deepEqual(rows(group, [HEX('0b 10 05 0c 1b 0a 01 61 1c 1b 1c'), HEX('')]), [
    { g: { x: 5 }, h: [{ s: 'a' }, { s: null }] },
    { g: null, h: [] },
  ])
  assert.deepEqual(decoded(group, [HEX('0b 10 05'), HEX('0b 10 05 14'), HEX('0c')]).slow, { value: 3 })
  const known = `message A { google.protobuf.Int64Value n = 1; google.protobuf.BytesValue b = 2; google.protobuf.Struct s = 3;
    google.protobuf.Empty e = 4; }`
  assert.deepEqual(
    rows(known, [HEX('0a 02 0807 12 00 1a 0a 0a 08 0a 01 61 12 03 1a 01 78 22 00'), HEX('')]),
    [
      { n: 7, b: '', s: '{"a":"x"}', e: true },
      { n: null, b: null, s: null, e: null },
    ],
  )
})

test('Undeclared fields are counted where the record becomes columns, and only there', () => {
  const text = 'message A { int32 a = 1; M m = 2; message M { int32 x = 1; } }'
  const found = decoded(text, [HEX('50 01 08 01 12 04 0801 5001'), HEX('50 01 08')])
  assert.deepEqual([found.droppedFields, found.slow], [2, { value: 1 }])
})

test('Fields without a column are read all the same: counted, dropped, left, or refused with the message', () => {
  const text = 'message A { int32 a = 1; string b = 2; M m = 3; message M { int32 x = 1; int32 y = 2; } }'
  const schema = structOf({ a: 'integer', m: structOf({ x: 'integer' }) })
  const value = HEX('08 01 12 01 62 1a 02 0805')
  const invalid = HEX('08 01 12 01 ff')
  const counted = decoded(text, [value, value, invalid], { schema, unknownFields: 'count' })
  assert.deepEqual(counted.validated?.records, Int32Array.of(0, 1))
  assert.deepEqual([counted.droppedFields, counted.slow], [4, { value: 1 }])
  assert.deepEqual([...(counted.droppedPaths?.[0]?.paths ?? [])].sort(), ['b', 'm.y'])
  assert.deepEqual(rows(text, [value], { schema, unknownFields: 'skip' }), [{ a: 1, m: { x: 5 } }])
  assert.deepEqual(decoded(text, [value], { schema }).slow, { schema: 1 })
})

test('The format says why messages need objects', () => {
  const message = messageOf(
    'message A { int32 a = 1; string b = 2; R r = 3; message R { R r = 1; int32 x = 2; } }',
  )
  const reasons = (schema: StructType, more: Partial<FormatOptions> = {}): unknown =>
    protobufFormat(unframedProto(message), optionsOf(schema, more)).objectReasons?.()
  assert.deepEqual(reasons(structOf({ a: 'integer', b: 'string' }), { unknownFields: 'count' }), [
    { subject: 'columns.r', reason: 'A.R is recursive, and a table column cannot be' },
  ])
  assert.deepEqual(reasons(structOf({ a: 'decimal(5,2)', b: 'string', r: 'string' })), [
    { subject: 'columns.a', reason: 'the column has another type than the field' },
    { subject: 'columns.r', reason: 'the contract expects string' },
  ])
  assert.match(JSON.stringify(reasons(structOf({ a: 'integer' }), { plain: undefined })), /not plain data/)
  assert.equal(protobufFormat(unframedProto(message)).objectReasons?.().length, 1)
})

test('Values of several registered types share one set of columns', async () => {
  const texts: Readonly<Record<number, string>> = {
    1: 'message A { int32 a = 1; }',
    2: 'message B { int32 b = 2; } message A { string a = 1; int32 b = 2; }',
  }
  const registry = {
    url: 'memory',
    schema: (id: number | string) => {
      const text = texts[Number(id)]
      return Promise.resolve(
        text === undefined
          ? undefined
          : ({ type: 'PROTOBUF', text: `${PROTO3} ${text}`, references: [] } as const),
      )
    },
    latest: () => Promise.resolve(undefined),
    close: () => undefined,
  }
  const schema = structOf({ a: 'integer', b: 'integer' })
  const format = protobufFormat(registryFramedProto(registry), optionsOf(schema))
  const raw = rawOf(
    [
      '00 00000001 00 08 05',
      '00 00000001 00 08 06',
      '00 00000002 00 10 07',
      '00 00000002 02 02 10 07',
      '00 00000001',
      '00 00000009 00',
      '01',
    ].map(HEX),
  )
  await format.prepare?.(raw)
  for (const found of [format.decode(raw), format.decode(raw)]) {
    const { validated, slow, deadLetters } = found
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => validated && rowAt(validated.columns, i)),
      [
        { a: 5, b: null },
        { a: 6, b: null },
        { a: null, b: 7 },
        { a: 0, b: null },
      ],
    )
    assert.deepEqual(validated?.records, Int32Array.of(0, 1, 2, 4))
    assert.deepEqual([slow, deadLetters.length], [{ value: 3 }, 2])
  }
})

test('A few bytes that ask for billions of values are refused', () => {
  const fields = Array.from({ length: 2_000 }, (_, i) => `int32 f${i} = ${i + 1};`).join(' ')
  const text = `message A { repeated M m = 1; message M { ${fields} } }`
  const { slow, deadLetters } = decoded(text, [Buffer.alloc(10_000, HEX('0a 00'))])
  assert.deepEqual([slow, deadLetters.length], [{ value: 1 }, 1])
  assert.match(deadLetters[0]?.message ?? '', /expected at most 5000000 values/)
})
