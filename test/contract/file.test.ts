import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readContract } from '../../src/contract/file.ts'

test('a contract is read from its file; a missing or invalid file is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'contract-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'a.json')
  await writeFile(path, '\ufeff{"type":"object","properties":{"a":{"type":"string"}}}')
  const contract = await readContract(path)
  assert.equal(contract.source, path)
  assert.equal(contract.schema.fields[0]?.name, 'a')
  await assert.rejects(readContract(join(folder, 'none.json')), { code: 'KD_CONTRACT_INVALID' })
  await writeFile(path, '{"type":')
  await assert.rejects(readContract(path), { code: 'KD_CONTRACT_INVALID' })
})
