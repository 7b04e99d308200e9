import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ExactNumber } from '../../../src/core/exact.ts'
import { maskRow, SampleLimiter } from '../../../src/telemetry/metrics/samples.ts'

describe('rows for people to read', () => {
  it('hide masked fields: names everywhere, paths in one place, in any case', () => {
    const row = { email: 'a@b', Name: 'Ada', home: { street: 'x', city: 'y', EMAIL: 'c@d' } }
    assert.deepEqual(maskRow(row, ['email', 'home.street', 'name']), {
      email: '[masked]',
      Name: '[masked]',
      home: { street: '[masked]', city: 'y', EMAIL: '[masked]' },
    })
  })

  it('hide in lists and maps too, and show null values', () => {
    const row = { contacts: [{ phone: '1', kind: 'home' }, { phone: null }], tags: new Map([['phone', '2']]) }
    assert.deepEqual(maskRow(row, ['phone']), {
      contacts: [{ phone: '[masked]', kind: 'home' }, { phone: null }],
      tags: { phone: '[masked]' },
    })
    assert.deepEqual(maskRow(row, ['contacts.kind']), {
      contacts: [{ phone: '1', kind: '[masked]' }, { phone: null }],
      tags: { phone: '2' },
    })
  })

  it('hide quoted names and paths exactly, and text without quotes as a name with dots too', () => {
    const row = { 'user.email': 1, user: { email: 2 }, a: { 'b.c': 3, b: { c: 4 } } }
    assert.deepEqual(maskRow(row, ['user.email', '"a"."B.C"']), {
      'user.email': '[masked]',
      user: { email: '[masked]' },
      a: { 'b.c': '[masked]', b: { c: 4 } },
    })
    assert.deepEqual(maskRow(row, ['"user.email"', 'a."b.c"']), {
      'user.email': '[masked]',
      user: { email: 2 },
      a: { 'b.c': '[masked]', b: { c: 4 } },
    })
    assert.deepEqual(maskRow({ '"x"': 1, x: 2 }, ['"\\"x\\""', '"open']), { '"x"': '[masked]', x: 2 })
  })

  it('hide fields whose name indicates a secret, without a mask', () => {
    const names = ['password', 'user_password', 'apiKey', 'API-KEY', 'accessToken', 'client_secret', 'PIN']
    const row = { ...Object.fromEntries(names.map((name) => [name, 'hunter2'])), spinning: 1, pinned: true }
    const shown = maskRow(row, [])
    assert.doesNotMatch(JSON.stringify(shown), /hunter2/)
    assert.deepEqual([shown['spinning'], shown['pinned']], [1, true])
  })

  it('are short: long texts, lists, bytes and depths are cut and marked', () => {
    let deep: object = { secretless: 1 }
    for (let i = 0; i < 20; i++) deep = { deep }
    const shown = maskRow(
      {
        text: 'x'.repeat(1_000),
        list: Array.from({ length: 50 }, (_, i) => i),
        bytes: new Uint8Array(7),
        long: 2n ** 60n,
        exact: new ExactNumber('0.1000000000000000000001'),
        deep,
      },
      [],
    )
    assert.equal(shown['text'], `${'x'.repeat(64)}… (1000 characters)`)
    assert.deepEqual(shown['list'], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, '… 40 more'])
    assert.equal(shown['bytes'], '7 bytes')
    assert.equal(shown['long'], '1152921504606846976')
    assert.equal(shown['exact'], '0.1000000000000000000001')
    assert.match(JSON.stringify(shown['deep']), /"…"/)
    const wide = maskRow(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, i])), [])
    assert.equal(Object.keys(wide).length, 101)
  })
})

it('Samples are spread over the minute', () => {
  let nowMs = 0
  const due = new SampleLimiter(4, { now: () => nowMs, sleep: () => Promise.resolve() })
  let taken = 0
  for (nowMs = 0; nowMs < 120_000; nowMs += 100) if (due.tryTake()) taken++
  assert.equal(taken, 8)
  nowMs = 300_000
  assert.deepEqual([due.tryTake(), due.tryTake()], [true, false], 'a pause gathers nothing')
})
