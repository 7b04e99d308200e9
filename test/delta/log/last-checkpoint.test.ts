import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, jsonChecksum } from '../../../src/delta/log/last-checkpoint.ts'

test("The specification's sample has its canonical form and checksum", () => {
  const k3 = ['v3', [1, 2], { k4: 'v4', k5: ['v5', 'v6', 'v7'] }]
  const sample = { k0: "'v 0'", checksum: 'adsaskfljadfkjadfkj', k1: { k2: 2, k3 } }
  assert.equal(
    canonicalJson({ k0: sample.k0, k1: sample.k1 }),
    '"k0"="%27v%200%27","k1"+"k2"=2,"k1"+"k3"+0="v3","k1"+"k3"+1+0=1,"k1"+"k3"+1+1=2,"k1"+"k3"+2+"k4"="v4",' +
      '"k1"+"k3"+2+"k5"+0="v5","k1"+"k3"+2+"k5"+1="v6","k1"+"k3"+2+"k5"+2="v7"',
  )
  assert.equal(jsonChecksum(sample), '6a92d155a59bf2eecbd4b4ec7fd1f875')
})
