import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'

function faultsOf(options: object, set: readonly string[] = []): string[] {
  try {
    loadConfig({ object: { topics: { a: { table: { uri: 's3://lake/a' }, ...options } } }, set })
    return []
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error))
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace('topics.a.', ''))
  }
}

test('Every fault of transforms, rules and filters is named with its key, all at once', () => {
  const faults = faultsOf({
    rules: [
      { name: 'r', when: 'a >', error: 'x' },
      { name: 's', wen: 'a', error: 'x' },
    ],
    filter: 'subst(a)',
    transforms: {
      few: 'substr(a)',
      open: "'abc",
      typed: { expr: 'a', type: 'strng' },
      number: 5,
      computed: 'regex_extract(a, b)',
      'up.down': 'a',
      up: 'kafka.offset',
      source: 'kafka.headers.x',
      'a b': 'a',
    },
    rename: { a: 'b..c' },
    lookups: { c: '/no/such.csv' },
    hashKeys: { p: 'env:NOT_ASKED_FOR' },
  })
  assert.deepEqual(faults, [
    'rules[1].wen: unknown key; the nearest known one is rules[1].when'.replace(
      'one is rules',
      'one is topics.a.rules',
    ),
    'rules[1].when: is required and has no default',
    'transforms.number: must be an object with expr, type: value was 5',
    'rules.r.when: the expression ends too early: value was "a >"',
    'filter: there is no function subst; the nearest is substr: value was "subst(a)"',
    'transforms.few: substr() takes 3 arguments, got 1: value was "substr(a)"',
    `transforms.open: the quote ' is not closed: value was "'abc"`,
    'transforms.typed.type: must be one of string, long, integer, short, byte, float, double, boolean, binary, date, timestamp, timestamp_ntz, decimal(p,s): value was "strng"',
    `transforms.computed: argument 2 of regex_extract() must be text written in quotes: '…': value was "regex_extract(a, b)"`,
    'transforms.a b: "a b" cannot be a column: "a b" is not a valid name',
    'transforms.up.down: conflicts with transforms.up, which sets the whole value that contains it',
    'rename.a: must have a name on both sides of each dot; an empty name is "": value was "b..c"',
    'lookups.c: does not exist: /no/such.csv',
  ])
})

test('Transforms can be assigned one by one, with dots in their paths', () => {
  const config = loadConfig({
    object: { topics: { a: { table: { uri: 's3://lake/a' }, transforms: { day: 'at' } } } },
    set: [
      'topics.a.transforms.meta.kafka.offset=kafka.offset',
      'topics.a.transforms.day={"expr":"substr(at, `0`, `10`)","type":"date"}',
      'topics.a.rename.x.y=z',
    ],
  })
  assert.deepEqual(JSON.parse(JSON.stringify(config.topics['a']?.transforms)), {
    day: { expr: 'substr(at, `0`, `10`)', type: 'date' },
    'meta.kafka.offset': { expr: 'kafka.offset' },
  })
  assert.deepEqual({ ...config.topics['a']?.rename }, { 'x.y': 'z' })
})

test('Rules that are not a list, and two rules of one name, are refused', () => {
  assert.deepEqual(faultsOf({ rules: 'x' }), [
    'rules: must be a list of objects with name, when and error: value was "x"',
  ])
  const rule = { name: 'r', when: 'a', error: 'b' }
  assert.deepEqual(faultsOf({ rules: [rule, rule] }), ['rules: names "r" twice'])
})

test('Paths of drop, rename, transforms, derive, cobDate and log.mask are checked', () => {
  const faults = faultsOf({
    drop: ['"user.email', 'a.', 'ok.path', '"ok.name"'],
    rename: { '"a"b': 'c', d: '""', '"x.y"': '"z.w"' },
    transforms: { '"t': 'a', '"a\\ud800"': 'a', '"same"': 'a', same: 'b', '"up.down"': 'a', up: 'b' },
    derive: { day: 'date("at.x)', month: 'month("at.x")' },
    cobDate: { from: 'value:"cob' },
    log: { mask: ['"a.b".c', 'No.', '"a.b'] },
  })
  assert.deepEqual(faults.sort(), [
    'cobDate.from: must close the quote at character 1: value was "\\"cob"',
    'derive.day: must close the quote at character 1: value was "\\"at.x"',
    'drop: must close the quote at character 1: value was "\\"user.email"',
    'drop: must have a name on both sides of each dot; an empty name is "": value was "a."',
    'log.mask: must close the quote at character 1: value was "\\"a.b"',
    'rename."a"b: must have a dot after the closing quote at character 3: value was "\\"a\\"b"',
    'rename.d: "\\"\\"" cannot be a column: "" is not a valid name',
    'transforms."a\\ud800": "\\"a\\\\ud800\\"" cannot be a column: "a\\ud800" is not a valid name',
    'transforms."t: must close the quote at character 1: value was "\\"t"',
    'transforms.same: is the same field as transforms."same"',
  ])
})

test('Options that are no lists or maps of paths are refused without a failure', () => {
  assert.deepEqual(faultsOf({ drop: 5, log: { mask: 5 }, rename: 'x' }).length, 3)
})
