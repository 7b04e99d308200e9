import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ENGINE_INFO, PACKAGE_VERSION } from '../../../src/delta/protocol/engine.ts'

test('The version in commits is that of the package', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string }
  assert.equal(PACKAGE_VERSION, version)
  assert.equal(ENGINE_INFO, `kafka-delta/${version}`)
})
