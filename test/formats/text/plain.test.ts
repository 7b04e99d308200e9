import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Contract } from '../../../src/contract/contract.ts'
import { bytesFormat, singleColumnContract, textFormat } from '../../../src/formats/text/plain.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const contractOf = (format: string): Contract => {
  const contract = singleColumnContract(format)
  assert.ok(contract !== undefined)
  return contract
}

formatContract({
  name: 'Text',
  open: textFormat,
  contract: contractOf('text'),
  good: [
    { bytes: Buffer.from('é {"a":1}\n'), row: { value: 'é {"a":1}\n' } },
    { bytes: Buffer.from(''), row: { value: '' } },
  ],
  bad: [Buffer.of(0xff), Buffer.of(0xc3)],
})

test('Any bytes are stored unchanged; only tombstones are left out', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  assert.deepEqual(outcomesOf(bytesFormat(), contractOf('bytes'), rawOf([all, Buffer.alloc(0), null])), [
    { row: { value: all.toString('base64') } },
    { row: { value: '' } },
    'tombstone',
  ])
})

test('Other formats do not imply a contract', () => {
  assert.equal(singleColumnContract('json'), undefined)
})
