import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzContracts } from '../../fuzz/contract.ts'

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_201)
const INPUTS = 4_000

test('random contracts give the same verdicts on bytes and columns as on objects', async () => {
  const proof = { accepted: 0, byBytes: 0, byColumns: 0, opaque: 0 }
  const { differences, inputs } = await fuzzContracts({ inputs: INPUTS, seed: SEED }, proof)
  assert.deepEqual(differences, [], `TEST_SEED=${SEED} repeats it`)
  assert.ok(inputs >= INPUTS)
  assert.ok(proof.byBytes > 0 && proof.byColumns > 0, JSON.stringify(proof))
})
