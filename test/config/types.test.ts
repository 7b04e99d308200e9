import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import { optionsOf, type Option, type OptionTree } from '../../config/option.ts'
import type { OptionValues, ResolvedValues } from '../../config/option-values.ts'
import {
  fillComputedDefaults,
  removeDisabledSections,
  resolveOptions,
  valueAtKey,
} from '../../config/resolve/resolve.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from '../../config/schema.ts'
import type { Config, TopicConfig } from '../../config/types.ts'

// The compiler checks the first part of this file: `npm run typecheck` fails when a derived type is not the expected one,
// and when a line below `@ts-expect-error` is accepted.

type IsSame<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Does not compile unless its argument is `true`. */
type Expect<Condition extends true> = Condition

const DECLARED = {
  name: { doc: '', format: 'text', default: 'x' },
  unset: { doc: '', format: 'text', default: null, nullable: true },
  needed: { doc: '', format: 'text', default: null, required: true },
  derived: {
    doc: '',
    format: 'whole-number',
    default: null,
    computed: { description: '', compute: ({ flushBytes }) => flushBytes },
  },
  mode: { doc: '', format: ['a', 'b'], default: 'a' },
  kind: { doc: '', format: ['c', 'd'], default: null, nullable: true },
  share: { doc: '', format: 'share', default: 0.5 },
  flag: { doc: '', format: 'flag', default: false },
  list: { doc: '', format: 'text-list', default: [] },
  words: { doc: '', format: 'text-list', items: ['e', 'f'], default: null, nullable: true },
  map: { doc: '', format: 'map', default: [] },
  transforms: { doc: '', format: 'transform-map', default: [] },
  rules: { doc: '', format: 'rule-list', default: [] },
  group: { inner: { deepest: { doc: '', format: 'flag', default: true } } },
  login: {
    method: { doc: '', format: ['g', 'h'], default: null, nullable: true, enablesSection: true },
    user: { doc: '', format: 'text', default: null, nullable: true },
  },
} as const satisfies OptionTree

interface Unchanged {
  readonly name: string
  readonly unset?: string
  readonly needed: string
  readonly mode: 'a' | 'b'
  readonly kind?: 'c' | 'd'
  readonly share: number
  readonly flag: boolean
  readonly list: readonly string[]
  readonly words?: readonly ('e' | 'f')[]
  readonly map: Readonly<Record<string, string>>
  readonly transforms: Readonly<Record<string, { readonly expr: string; readonly type?: string }>>
  readonly rules: readonly { readonly name: string; readonly when: string; readonly error: string }[]
  readonly group: { readonly inner: { readonly deepest: boolean } }
}

interface Complete extends Unchanged {
  readonly derived: number
  readonly login?: { readonly method: 'g' | 'h'; readonly user?: string }
}

interface Resolved extends Unchanged {
  readonly derived?: number
  readonly login: { readonly method?: 'g' | 'h'; readonly user?: string }
}

/** Holds types that compile if the derived types are the expected ones. */
export type Derived = [
  Expect<IsSame<OptionValues<typeof DECLARED>, Complete>>,
  Expect<IsSame<ResolvedValues<typeof DECLARED>, Resolved>>,
  // @ts-expect-error: the two differ.
  Expect<IsSame<Complete, Resolved>>,
  Expect<IsSame<Config['kafka']['groupProtocol'], 'classic' | 'consumer'>>,
  Expect<IsSame<Config['http']['port'], number | undefined>>,
  Expect<IsSame<NonNullable<Config['schemaRegistry']>['url'], string>>,
  Expect<IsSame<TopicConfig['appId'], string>>,
  Expect<IsSame<TopicConfig['parquet']['compression'], 'zstd' | 'snappy' | 'gzip' | 'none'>>,
  // @ts-expect-error: the option is spelt `groupId`.
  Config['kafka']['groupID'],
  // @ts-expect-error: the section is spelt `flush`.
  TopicConfig['flushes'],
  // @ts-expect-error: the secret has been read from its file.
  Config['admin']['tokenFile'],
  // @ts-expect-error: a topic has no options that select several.
  TopicConfig['pattern'],
]

/** Uses a configuration in ways that do not compile; it is never called. */
export function misuse(config: Config, topic: TopicConfig): readonly unknown[] {
  // @ts-expect-error: a number is not text.
  const host: string = config.http.stalledMs
  // @ts-expect-error: an option that may be unset may be undefined.
  const port: number = config.http.port
  // @ts-expect-error: a section that may be disabled may be undefined.
  const url: string = config.schemaRegistry.url
  // @ts-expect-error: the word is not one of the enumeration.
  const level: 'verbose' = config.log.level
  // @ts-expect-error: a configuration cannot be changed.
  topic.flush.count = 1
  return [host, port, url, level]
}

const NUMBER = { description: 'one', compute: () => 1 }

/** Holds declarations that do not compile. */
export const REFUSED = [
  // @ts-expect-error: the format does not exist.
  { doc: '', format: 'number', default: 1 } satisfies Option,
  // @ts-expect-error: the default does not have the format.
  { doc: '', format: 'flag', default: 'yes' } satisfies Option,
  // @ts-expect-error: an option without a default says why.
  { doc: '', format: 'text', default: null } satisfies Option,
  // @ts-expect-error: an option with a default cannot be required.
  { doc: '', format: 'text', default: 'x', required: true } satisfies Option,
  // @ts-expect-error: a computed default has the type of the option.
  { doc: '', format: 'text', default: null, computed: NUMBER } satisfies Option,
  // @ts-expect-error: only lists have items.
  { doc: '', format: 'text', items: ['x'], default: 'x' } satisfies Option,
  // @ts-expect-error: the attribute is spelt `nullable`.
  { doc: '', format: 'text', default: null, nulable: true } satisfies Option,
]

test('The values of options are those that their types promise', () => {
  const faults: string[] = []
  const { values } = resolveOptions({ needed: 'n' }, DECLARED, '', {}, (fault) => void faults.push(fault))
  const promised: ResolvedValues<typeof DECLARED> = {
    name: 'x',
    needed: 'n',
    mode: 'a',
    share: 0.5,
    flag: false,
    list: [],
    map: {},
    transforms: {},
    rules: [],
    group: { inner: { deepest: true } },
    login: {},
  }
  assert.deepEqual(JSON.parse(JSON.stringify(values)), promised)
  const { login, ...rest } = promised
  const input = { name: 'n', topic: 't', groupId: 'g', flushBytes: 7 }
  const computed: OptionValues<typeof DECLARED, 'computed'> = fillComputedDefaults(values, DECLARED, input)
  assert.deepEqual(JSON.parse(JSON.stringify(computed)), { ...rest, login, derived: 7 })
  assert.deepEqual(JSON.parse(JSON.stringify(removeDisabledSections(values, DECLARED))), {
    ...rest,
    derived: 7,
  })
  assert.deepEqual(faults, [])
})

const CONFIG = loadConfig({ object: { topics: { orders: { table: { uri: '/lake/orders' } } } } })

test('A configuration has a value for each option that has a default, is required or is computed, and no other', () => {
  const without = ({ default: value, required, computed }: Option): boolean =>
    value === null && required === undefined && computed === undefined
  const unset = (values: unknown, tree: OptionTree): readonly string[] =>
    optionsOf(tree).flatMap(({ key }) => (valueAtKey(values, key) === undefined ? [key] : []))
  for (const [values, tree] of [
    [CONFIG, SERVICE_OPTIONS],
    [CONFIG.topics['orders'], TOPIC_OPTIONS],
  ] as const) {
    const sections = optionsOf(tree)
      .filter(({ option }) => option.enablesSection === true)
      .map(({ key }) => key.replace(/[^.]*$/, ''))
    const selectors = ['topics', 'pattern', 'topicsMax']
    const expected = optionsOf(tree).filter(
      ({ key, option }) =>
        without(option) || sections.some((section) => key.startsWith(section)) || selectors.includes(key),
    )
    assert.deepEqual(
      unset(values, tree),
      expected.map(({ key }) => key),
    )
  }
})

test('A section whose enabling option is unset is absent, and the others are there even if nothing in them is set', () => {
  assert.equal('sasl' in CONFIG.kafka, false)
  assert.equal('schemaRegistry' in CONFIG, false)
  assert.deepEqual({ ...CONFIG.topics['orders']?.avro }, {})
  const { kafka, schemaRegistry } = loadConfig({
    object: {
      kafka: { sasl: { mechanism: 'plain', username: 'u', password: 'p' } },
      schemaRegistry: { url: 'http://localhost:8081' },
    },
  })
  assert.equal(kafka.sasl?.mechanism, 'plain')
  assert.equal(schemaRegistry?.url, 'http://localhost:8081')
})

test('The default of an enumeration is one of its words', () => {
  for (const { key, option } of [...optionsOf(SERVICE_OPTIONS), ...optionsOf(TOPIC_OPTIONS)])
    if (typeof option.format !== 'string' && typeof option.default === 'string')
      assert.ok(option.format.includes(option.default), key)
})
