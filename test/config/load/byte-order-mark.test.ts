import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-mark-'))
after(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

it('a byte order mark at the start of a configuration and of its contract is ignored, elsewhere it is a fault', () => {
  const contract = file('contract.json', '\ufeff{"type":"object"}')
  const text = JSON.stringify({ topics: { a: { contract, table: { uri: 's3://lake/a' } } } })
  const load = (...texts: readonly string[]): string | undefined =>
    loadConfig({ files: texts.map((each, index) => file(`${index}.json`, each)) }).topics['a']?.contract
  assert.equal(load(`\ufeff${text}`), contract)
  assert.equal(load('{}', `\ufeff${text}`), contract)
  assert.throws(() => load(`\ufeff\ufeff${text}`), { message: /cannot be read as JSON/ })
  assert.throws(() => load(`${text}\ufeff`), { message: /cannot be read as JSON/ })
})

it('a contract that is not an object is a fault with and without a byte order mark', () => {
  for (const content of ['[]', '\ufeff[]'])
    assert.throws(
      () =>
        loadConfig({
          object: { topics: { a: { contract: file('list.json', content), table: { uri: 's3://lake/a' } } } },
        }),
      { message: /contract: must contain a JSON object/ },
    )
})
