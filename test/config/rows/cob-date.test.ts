import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  checkCobDate,
  isCobDateInPlace,
  parseCobSource,
  type CobDateConfig,
} from '../../../config/rows/cob-date.ts'

const DEFAULTS = { column: 'cob_date', format: 'YYYY-MM-DD', timeZone: 'UTC', allowFuture: false } as const

function faultsOf(given: Partial<CobDateConfig>): string[] {
  const faults: string[] = []
  checkCobDate({ ...DEFAULTS, ...given }, (keys, fault) => faults.push(`${keys.join()}: ${fault}`))
  return faults
}

it('A source is the key, a header or a column of the value', () => {
  assert.deepEqual(parseCobSource('key'), { kind: 'key' })
  assert.deepEqual(parseCobSource('header:cob date'), { kind: 'header', name: 'cob date' })
  assert.deepEqual(parseCobSource('value: meta.cob '), { kind: 'value', path: 'meta.cob' })
  for (const text of ['', 'Key', 'key:', 'header:', 'value: ', 'headers:x', 'meta.cob'])
    assert.equal(parseCobSource(text), undefined, text)
})

it('Valid options and no options at all have no faults', () => {
  assert.deepEqual(faultsOf({}), [])
  assert.deepEqual(faultsOf({ from: 'key', pattern: '(\\d+)', timeZone: 'Asia/Tokyo', daysBackMax: 1 }), [])
})

it('Every fault is reported with its key', () => {
  const faults = faultsOf({ from: 'body', pattern: '(', timeZone: 'Mars' })
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    ['cobDate.from', 'cobDate.timeZone', 'cobDate.pattern'],
  )
})

it('Rules without a source are a fault', () => {
  for (const given of [{ pattern: 'x' }, { daysBackMax: 3 }, { allowFuture: true }])
    assert.match(faultsOf(given).join(), /^cobDate\.from: is required/)
})

it('A date that is read from its own column adds none, also when the name of the column is quoted', () => {
  const inPlace = (from: string, column: string): boolean => isCobDateInPlace({ ...DEFAULTS, from, column })
  assert.equal(inPlace('value:cob_date', 'cob_date'), true)
  assert.equal(inPlace('value:cob.date', 'cob.date'), true)
  assert.equal(inPlace('value:"cob.date"', 'cob.date'), true)
  assert.equal(inPlace('value:cob."date"', 'cob.date'), false)
  assert.equal(inPlace('key', 'key'), false)
  assert.match(faultsOf({ from: 'value:"cob' }).join(), /^cobDate\.from: must close the quote/)
})
