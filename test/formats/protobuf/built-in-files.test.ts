import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { DataType } from '../../../src/core/schema.ts'
import { protoContract } from '../../../src/formats/protobuf/columns.ts'
import { parseRegisteredProto, readProtoFile, type ProtoFile } from '../../../src/formats/protobuf/load.ts'

const HEAD = 'syntax = "proto3"; package shop;'
const OPTIONS = `${HEAD} import "google/protobuf/descriptor.proto";
message Rules { string pattern = 1; uint32 max = 2; }
extend google.protobuf.FieldOptions { optional string pii = 50001; Rules rules = 50002; }
extend google.protobuf.MessageOptions { repeated string owners = 50003; }
extend google.protobuf.EnumValueOptions { bool hidden = 50004; }
extend google.protobuf.OneofOptions { bool required = 50005; }
extend google.protobuf.FileOptions { string team = 50006; }`
const USES = `option (shop.team) = "a";
message Event {
  option (shop.owners) = "b"; option (shop.owners) = "c";
  extend google.protobuf.FieldOptions { bool inner = 50007; }
  int64 id = 1 [(shop.pii) = "yes", (shop.rules) = { pattern: "x" max: 5 }, (Event.inner) = true];
  oneof choice { option (shop.required) = true; string a = 2; }
  State state = 3;
}
enum State { NEW = 0 [(shop.hidden) = true]; }`

function registered(
  text: string,
  references: Readonly<Record<string, string>> = {},
): Parameters<typeof parseRegisteredProto>[0] {
  return {
    type: 'PROTOBUF',
    text,
    references: Object.entries(references).map(([name, of]) => ({ name, text: of })),
  }
}

function columnsOf(file: ProtoFile, message = 'shop.Event'): Record<string, DataType> {
  const { schema } = protoContract(file.message(message), 'test')
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, type]))
}

async function fileOf(files: Readonly<Record<string, string>>, name: string): Promise<ProtoFile> {
  const folder = await mkdtemp(join(tmpdir(), 'built-in-files-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    return await readProtoFile(join(folder, name))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('Custom options do not keep a schema from being read, in one file or in a reference', async () => {
  const columns = { id: 'long', a: 'string', state: 'string' }
  const alone = `${OPTIONS}\n${USES}`
  const apart = `${HEAD} import "shop/options.proto"; import "google/protobuf/descriptor.proto";\n${USES}`
  assert.deepEqual(columnsOf(parseRegisteredProto(registered(alone), 'test')), columns)
  const references = { 'shop/options.proto': OPTIONS }
  assert.deepEqual(columnsOf(parseRegisteredProto(registered(apart, references), 'test')), columns)
  const files = { 'shop/options.proto': OPTIONS, 'shop/event.proto': apart }
  assert.deepEqual(columnsOf(await fileOf(files, 'shop/event.proto')), columns)
})

test('Definitions of options do not change the indexes of the messages of a schema', () => {
  const { declared } = parseRegisteredProto(registered(`${OPTIONS}\n${USES}`), 'test')
  assert.deepEqual(
    declared.map(({ name }) => name),
    ['shop.Rules', 'shop.Event'],
  )
})

const COMMON: readonly (readonly [file: string, type: string])[] = [
  ['calendar_period', 'CalendarPeriod'],
  ['color', 'Color'],
  ['date', 'Date'],
  ['datetime', 'DateTime'],
  ['dayofweek', 'DayOfWeek'],
  ['decimal', 'Decimal'],
  ['expr', 'Expr'],
  ['fraction', 'Fraction'],
  ['interval', 'Interval'],
  ['latlng', 'LatLng'],
  ['localized_text', 'LocalizedText'],
  ['money', 'Money'],
  ['month', 'Month'],
  ['phone_number', 'PhoneNumber'],
  ['postal_address', 'PostalAddress'],
  ['quaternion', 'Quaternion'],
  ['timeofday', 'TimeOfDay'],
]

test('The common types of Google are there although no reference has them', async () => {
  const imports = COMMON.map(([file]) => `import "google/type/${file}.proto";`).join('\n')
  const fields = COMMON.map(([file, type], index) => `google.type.${type} ${file} = ${index + 1};`).join('\n')
  const text = `${HEAD}\n${imports}\nmessage Event { ${fields} }`
  for (const file of [
    parseRegisteredProto(registered(text), 'test'),
    await fileOf({ 'event.proto': text }, 'event.proto'),
  ]) {
    const columns = columnsOf(file)
    assert.deepEqual(
      Object.keys(columns),
      COMMON.map(([name]) => name),
    )
    assert.equal(columns['dayofweek'], 'string')
    const date = columns['date']
    assert.ok(typeof date === 'object' && date.type === 'struct')
    assert.deepEqual(
      date.fields.map(({ name, type }) => [name, type]),
      [
        ['year', 'integer'],
        ['month', 'integer'],
        ['day', 'integer'],
      ],
    )
  }
})

test('A file of that name in the registry or beside the schema is used instead', async () => {
  const own = 'syntax = "proto3"; package google.type; message Date { string text = 1; }'
  const text = `${HEAD} import "google/type/date.proto"; message Event { google.type.Date day = 1; }`
  const byRegistry = parseRegisteredProto(registered(text, { 'google/type/date.proto': own }), 'test')
  const byFile = await fileOf({ 'google/type/date.proto': own, 'event.proto': text }, 'event.proto')
  for (const file of [byRegistry, byFile]) {
    const { day } = columnsOf(file)
    assert.ok(typeof day === 'object' && day.type === 'struct')
    assert.deepEqual(
      day.fields.map(({ name }) => name),
      ['text'],
    )
  }
})

test('A file that is neither there nor built in is refused by its name', async () => {
  const text = `${HEAD} import "google/type/none.proto"; message Event { int64 id = 1; }`
  await assert.rejects(fileOf({ 'event.proto': text }, 'event.proto'), {
    code: 'KD_CONTRACT_INVALID',
    message: /"google\/type\/none\.proto" is imported, but/,
  })
})
