import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTransforms, type TransformOptions } from '../../src/transforms/compile.ts'
import type { PathEvent } from '../../src/transforms/path-matches.ts'
import { rawOf } from '../support/flow/batches.ts'

const RAW = rawOf(['{}'])

/** Returns the rows, and the events until the end of the messages. */
function run(
  options: TransformOptions,
  messages: readonly object[],
): { readonly rows: readonly unknown[]; readonly events: readonly PathEvent[] } {
  const transformation = compileTransforms(options)
  const events: PathEvent[] = []
  transformation.paths.follow((event) => events.push(event))
  const rows = messages.map((message) => transformation.apply(message, RAW, 0))
  transformation.paths.finish()
  return { rows, events }
}

const textsOf = (events: readonly PathEvent[]): string[] =>
  events.map((event) => (event.kind === 'path-unmatched' ? event.message : `${event.path} matches`))

test('Quoted names reach flat fields with dots, in drop, rename and destinations', () => {
  const message = { 'user.email': 'a@b', 'user.id': 1, 'user.name': 'Ada', user: { email: 'kept' } }
  const { rows, events } = run(
    {
      drop: ['"user.email"'],
      rename: { '"user.id"': 'uid' },
      transforms: { '"user.name"': 'mask("user.name")', 'meta."k8s.io/pod"': "'p'" },
    },
    [message],
  )
  assert.deepEqual(rows, [
    { 'user.name': '***', user: { email: 'kept' }, meta: { 'k8s.io/pod': 'p' }, uid: 1 },
  ])
  assert.deepEqual(events, [])
})

test('A quoted name inside objects, and as the target of a rename', () => {
  const { rows, events } = run({ drop: ['a."b.c".d'], rename: { x: '"x.y"' } }, [
    { a: { 'b.c': { d: 1, e: 2 } }, x: 3 },
  ])
  assert.deepEqual(rows, [{ a: { 'b.c': { e: 2 } }, 'x.y': 3 }])
  assert.deepEqual(events, [])
})

test('A flat field that a dotted path does not reach is reported at once, with the path that reaches it', () => {
  const { events } = run({ drop: ['user.email'], rename: { 'user.id': 'uid' } }, [
    { 'user.email': 'a@b', 'user.id': 1 },
    { 'user.email': 'c@d', 'user.id': 2 },
  ])
  assert.deepEqual(textsOf(events), [
    'drop "user.email" matched no field, but the name "user.email" of a field contains a dot: write "\\"user.email\\""',
    'rename "user.id" matched no field, but the name "user.id" of a field contains a dot: write "\\"user.id\\""',
  ])
})

test('Other spellings are reported too: case, a dot inside an object, and quotes around a nested path', () => {
  const message = { Email: 1, meta: { 'a.b': 2 }, user: { id: 3 } }
  const { events } = run({ drop: ['email', 'meta.a.b', '"user.id"'] }, [message])
  assert.deepEqual(textsOf(events), [
    'drop "email" matched no field, but the name of the field differs: write "Email"',
    'drop "meta.a.b" matched no field, but the name "a.b" of a field contains a dot: write "meta.\\"a.b\\""',
    'drop "\\"user.id\\"" matched no field, but the field lies inside an object: write "user.id"',
  ])
})

test('A destination beside a field of another spelling is reported, a new one and a replaced one are not', () => {
  const { events } = run(
    { transforms: { 'user.name': "mask('x')", EMAIL: "'y'", id: "'z'", 'deep.id': 'id', fresh: "'w'" } },
    [{ 'user.name': 'Ada', email: 'a@b', id: 1, deep: { id: 2 } }],
  )
  assert.deepEqual(textsOf(events), [
    'transforms "user.name" does not replace a field that messages have: the name "user.name" of a field contains a dot: write "\\"user.name\\""',
    'transforms "EMAIL" does not replace a field that messages have: the name of the field differs: write "email"',
  ])
})

test('A path without any match is reported once, after 1,000 messages or at the end', () => {
  const options = { drop: ['typo', 'a'], rename: { b: 'c' } }
  const end = 'a path does not enter lists, and its names are case-sensitive'
  assert.deepEqual(textsOf(run(options, [{ a: 1 }]).events), [
    `drop "typo" matched no field in the only message; ${end}`,
    `rename "b" matched no field in the only message; ${end}`,
  ])
  assert.deepEqual(run(options, []).events, [])

  const transformation = compileTransforms(options)
  const events: PathEvent[] = []
  transformation.paths.follow((event) => events.push(event))
  for (let i = 0; i < 1_000; i++) transformation.apply({ a: 1, b: 2 }, RAW, 0)
  assert.deepEqual(events, [])
  for (let i = 0; i < 2_000; i++) transformation.apply({ b: 1 }, RAW, 0)
  transformation.paths.finish()
  assert.deepEqual(textsOf(events), [`drop "typo" matched no field in the first 1,000 messages; ${end}`])
})

test('A path that matches after it was reported is reported as matching', () => {
  const { events } = run({ drop: ['email'] }, [{ Email: 1 }, { email: 2 }, { email: 3 }, { Email: 4 }])
  assert.deepEqual(
    events.map(({ kind, option, path }) => [kind, option, path]),
    [
      ['path-unmatched', 'drop', 'email'],
      ['path-matched', 'drop', 'email'],
    ],
  )
})

test('Messages that a rule or the filter takes away are not counted', () => {
  const rules = [{ name: 'r', when: 'bad', error: 'bad' }]
  assert.deepEqual(run({ rules, filter: 'good', drop: ['x'] }, [{ bad: true }, { n: 1 }]).events, [])
})

test('Text that is no path is refused with its option', () => {
  assert.throws(
    () =>
      compileTransforms(
        { drop: ['a..b'], rename: { '"x': 'y' }, transforms: { '"t"u': 'a' } },
        undefined,
        'topics.t.',
      ),
    (error: Error) => {
      assert.match(error.message, /topics\.t\.drop: must have a name on both sides of each dot/)
      assert.match(error.message, /topics\.t\.rename\."x: must close the quote at character 1/)
      assert.match(error.message, /topics\.t\.transforms\."t"u: must have a dot after the closing quote/)
      return true
    },
  )
})
