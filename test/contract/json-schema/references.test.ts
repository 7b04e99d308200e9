import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadContract, type Contract } from '../../../src/contract/contract.ts'
import { readContract } from '../../../src/contract/file.ts'

const DRAFT_04 = 'http://json-schema.org/draft-04/schema#'
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

let folder: string

before(async () => (folder = await mkdtemp(join(tmpdir(), 'references-'))))
after(() => rm(folder, { recursive: true, force: true }))

/** Returns the contract `order.json` of a folder with these files. */
async function contractOf(name: string, files: Readonly<Record<string, unknown>>): Promise<Contract> {
  for (const [file, json] of Object.entries(files)) {
    const path = join(folder, name, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, typeof json === 'string' ? json : JSON.stringify(json))
  }
  return readContract(join(folder, name, 'order.json'))
}

const objectOf = (properties: object, rest: object = {}): object => ({ type: 'object', properties, ...rest })
const typesOf = ({ schema }: Contract): Record<string, string> =>
  Object.fromEntries(
    schema.fields.map(({ name, type }) => [name, typeof type === 'string' ? type : type.type]),
  )

test('Referenced files are read recursively, each relative to the file that refers to it', async () => {
  const contract = await contractOf('relative', {
    'order.json': objectOf({
      to: { $ref: 'common/address.json' },
      code: { $ref: './common/address.json#/$defs/code' },
      at: { $ref: 'common/time%20stamp.json#at' },
    }),
    'common/address.json': objectOf(
      { zip: { $ref: '#/$defs/code' }, in: { $ref: '../land.json' } },
      {
        $defs: { code: { type: 'integer', minimum: 1 } },
      },
    ),
    'common/time stamp.json': { $defs: { x: { $anchor: 'at', type: 'string', format: 'date-time' } } },
    'land.json': { type: 'string', maxLength: 2 },
  })
  assert.deepEqual(typesOf(contract), { to: 'struct', code: 'long', at: 'timestamp' })
  assert.equal(contract.check({ to: { zip: 5, in: 'DE' }, code: 1 }), undefined)
  assert.match(contract.check({ to: { in: 'GER' } }) ?? '', /^\/to\/in must NOT have more than 2 characters/)
  assert.match(contract.check({ code: 0 }) ?? '', /^\/code must be >= 1/)
  assert.ok(contract.plain !== undefined, 'references alone keep no contract from being plain')
})

test('A contract with a web URI as its id finds files next to it by that URI', async () => {
  const contract = await contractOf('named', {
    'order.json': objectOf(
      {
        a: { $ref: 'parts/a.json' },
        b: { $ref: 'https://shop.example/schemas/parts/b.json' },
        c: { $ref: '/schemas/parts/c.json#/definitions/c' },
      },
      { $schema: DRAFT_07, $id: 'https://shop.example/schemas/order.json' },
    ),
    'parts/a.json': { $id: 'https://shop.example/schemas/parts/a.json', type: 'integer' },
    'parts/b.json': {
      $id: 'urn:example:b',
      allOf: [{ $ref: 'urn:example:b#/definitions/x' }],
      definitions: { x: { type: 'boolean' } },
    },
    'parts/c.json': { definitions: { c: { type: 'string', enum: ['c'] } } },
  })
  assert.deepEqual(typesOf(contract), { a: 'long', b: 'boolean', c: 'string' })
  assert.match(contract.check({ b: 'x' }) ?? '', /^\/b must be boolean/)
  assert.match(contract.check({ c: 'x' }) ?? '', /^\/c must be one of \["c"\]/)
})

test('Two files may refer to each other, and only a recursive column is refused', async () => {
  const contract = await contractOf('mutual', {
    'order.json': objectOf({ a: { $ref: 'other.json#/$defs/a' } }, { $defs: { n: { type: 'integer' } } }),
    'other.json': { $defs: { a: objectOf({ n: { $ref: 'order.json#/$defs/n' } }) } },
  })
  assert.match(contract.check({ a: { n: 'x' } }) ?? '', /^\/a\/n must be integer/)
  await assert.rejects(
    contractOf('endless', {
      'order.json': objectOf({ a: { $ref: 'other.json' } }),
      'other.json': objectOf({ order: { $ref: 'order.json' } }),
    }),
    {
      code: 'KD_CONTRACT_INVALID',
      message: /order\.json refers to itself; a table column cannot be recursive/,
    },
  )
})

test('Missing targets, targets that are not a schema, and network targets are refused by name', async () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['a missing file', { 'order.json': objectOf({ a: { $ref: 'none.json' } }) }, /none\.json: ENOENT/],
    ['no JSON', { 'order.json': objectOf({ a: { $ref: 'b.json' } }), 'b.json': '{' }, /b\.json: .*JSON/],
    [
      'no schema',
      { 'order.json': objectOf({ a: { $ref: 'b.json' } }), 'b.json': [1] },
      /b\.json: expected a JSON Schema object/,
    ],
    [
      'a wrong schema',
      { 'order.json': objectOf({ a: { $ref: 'b.json' } }), 'b.json': { type: 'txt' } },
      /b\.json#\/type: must be/,
    ],
    [
      'another draft',
      { 'order.json': objectOf({ a: { $ref: 'b.json' } }), 'b.json': { $schema: DRAFT_07, type: 'string' } },
      /b\.json#\/\$schema: is draft-07/,
    ],
    [
      'no such place',
      { 'order.json': objectOf({ a: { $ref: 'b.json#/$defs/x' } }), 'b.json': {} },
      /b\.json#\/\$defs\/x is neither/,
    ],
    [
      'the network',
      { 'order.json': objectOf({ a: { $ref: 'http://127.0.0.1:1/b.json' } }) },
      /nothing is fetched from the network/,
    ],
    ['a host in a file URI', { 'order.json': objectOf({ a: { $ref: 'file://host/b.json' } }) }, /host/],
  ]
  for (const [name, files, message] of cases)
    await assert.rejects(contractOf(name, files), { code: 'KD_CONTRACT_INVALID', message }, name)
})

test('References that have no effect are not followed: next to another one in an old draft, or in a value', async () => {
  const contract = await contractOf('unread', {
    'order.json': objectOf(
      {
        a: { $ref: '#/definitions/a', allOf: [{ $ref: 'none.json' }] },
        $ref: { type: 'string' },
        b: { type: 'string', enum: ['x'], default: { $ref: 'none.json' } },
      },
      { $schema: DRAFT_07, definitions: { a: { type: 'string' } } },
    ),
  })
  assert.equal(contract.check({ a: 'x', $ref: 'none.json', b: 'x' }), undefined)
})

test('Schemas are found within the file by id, by anchor, and by a fragment as id', () => {
  const load = (json: object): Contract => loadContract(json, { source: 'test' })
  const ids = load(
    objectOf(
      { a: { $ref: 'parts/a' }, b: { $ref: 'https://x.example/parts/a#/$defs/b' }, c: { $ref: 'parts/a#c' } },
      {
        $id: 'https://x.example/order',
        $defs: {
          a: {
            $id: 'parts/a',
            type: 'integer',
            $defs: { b: { type: 'boolean' }, c: { $anchor: 'c', type: 'string' } },
          },
        },
      },
    ),
  )
  assert.deepEqual(typesOf(ids), { a: 'long', b: 'boolean', c: 'string' })
  assert.match(ids.check({ c: 5 }) ?? '', /^\/c must be string/)
  for (const [$schema, id] of [
    [DRAFT_04, 'id'],
    [DRAFT_07, '$id'],
  ] as const) {
    const old = load(
      objectOf(
        { a: { $ref: '#a' }, b: { $ref: 'b.json' }, c: { $ref: 'b.json#/definitions/c' } },
        {
          $schema,
          [id]: 'http://x.example/root.json#',
          definitions: {
            a: { [id]: '#a', type: 'integer' },
            b: { [id]: 'b.json', type: 'string', definitions: { c: { type: 'boolean' } } },
          },
        },
      ),
    )
    assert.deepEqual(typesOf(old), { a: 'long', b: 'string', c: 'boolean' }, $schema)
    assert.match(old.check({ a: 'x' }) ?? '', /^\/a must be integer/)
    assert.match(old.check({ c: 'x' }) ?? '', /^\/c must be boolean/)
  }
})

test('A contract has at most a hundred files', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 102 }, (_, i) => [
      `f${i}.json`,
      { $defs: { next: { $ref: `f${i + 1}.json` } }, type: 'string' },
    ]),
  )
  await assert.rejects(
    contractOf('chain', { 'order.json': objectOf({ a: { $ref: 'f0.json' } }), ...files }),
    {
      code: 'KD_CONTRACT_INVALID',
      message: /expected at most 100 files, got more/,
    },
  )
})
