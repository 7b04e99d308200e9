// What `docker compose config` would say of the file, without Docker: by the library that reads it there.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkCompose } from '../support/servers/compose.ts'

const file = join(import.meta.dirname, '../../docker-compose.yml')

test('docker compose takes the file, and refuses it with a key that it does not know', async () => {
  await checkCompose(file)
  const folder = await mkdtemp(join(tmpdir(), 'compose-'))
  try {
    const wrong = join(folder, 'docker-compose.yml')
    const text = await readFile(file, 'utf8')
    await writeFile(wrong, text.replace('    read_only: true', '    readonly: true'))
    await assert.rejects(checkCompose(wrong), /readonly/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
