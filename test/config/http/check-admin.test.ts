import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const TOKEN = 'sixteen-letters!'

function faultsOf(object: object): string {
  try {
    loadConfig({ object })
  } catch (error) {
    return String(error)
  }
  return ''
}

it('the admin API requires a token of sixteen visible characters and a port; nothing is required while it is disabled', () => {
  const http = { port: 8080 }
  assert.equal(faultsOf({ http, admin: { enabled: true, token: TOKEN } }), '')
  assert.equal(faultsOf({ admin: { enabled: false } }), '')
  assert.match(faultsOf({ http, admin: { enabled: true } }), /admin\.token: is required/)
  assert.match(
    faultsOf({ admin: { enabled: true, token: TOKEN } }),
    /admin\.enabled: is set, but http\.port is not/,
  )
  assert.match(faultsOf({ http, admin: { token: TOKEN.slice(1) } }), /admin\.token: must have at least 16/)
  assert.match(
    faultsOf({ http, admin: { token: `${TOKEN} ä` } }),
    /admin\.token: must consist of visible ASCII/,
  )
})

it('a token that is refused is not shown, and one may come from a file', () => {
  assert.ok(!faultsOf({ admin: { token: 'hunter2' } }).includes('hunter2'), 'the token is hidden')
  const folder = mkdtempSync(join(tmpdir(), 'admin-'))
  try {
    const file = join(folder, 'token')
    writeFileSync(file, `${TOKEN}\n`)
    const { admin } = loadConfig({ object: { http: { port: 1 }, admin: { enabled: true, tokenFile: file } } })
    assert.deepEqual({ ...admin }, { enabled: true, token: TOKEN })
    writeFileSync(file, '')
    const faults = faultsOf({ http: { port: 1 }, admin: { enabled: true, tokenFile: file } })
    assert.match(faults, /admin\.tokenFile: must not be empty/)
    assert.doesNotMatch(faults, /at least 16/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
