import assert from 'node:assert/strict'
import { test } from 'node:test'
import { staleCopies } from '../../scripts/manifests.ts'

test('rules, dashboard and contract in manifests and chart are those of the project; npm run manifests makes them so', () => {
  assert.deepEqual(staleCopies(), [])
})
