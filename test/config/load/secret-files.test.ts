import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-secrets-'))
after(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const login = (more: object): object => ({ sasl: { mechanism: 'plain', username: 'u', ...more } })
const load = (kafka: object): ReturnType<typeof loadConfig>['kafka'] =>
  loadConfig({ object: { kafka } }).kafka

describe('secrets from files', () => {
  it('a file holds the secret, without the line break at its end and with everything else', () => {
    const { sasl } = load(login({ passwordFile: file('a', ' p w\n\n') }))
    assert.equal(sasl?.password, ' p w\n')
    assert.equal('passwordFile' in sasl, false)
  })

  it('a byte order mark is no part of the secret', () => {
    assert.equal(load(login({ passwordFile: file('marked', '\ufeffsecret\r\n') })).sasl?.password, 'secret')
    assert.throws(() => load(login({ passwordFile: file('only-mark', '\ufeff\n') })), {
      message: /must not be empty/,
    })
  })

  it('a relative path counts from the file that names it', () => {
    file('b', 'secret')
    const config = file('config.json', JSON.stringify({ kafka: login({ passwordFile: 'b' }) }))
    assert.equal(loadConfig({ files: [config] }).kafka.sasl?.password, 'secret')
  })

  it('every secret has a variable for its file', () => {
    const path = file('c', 'secret')
    const env = {
      AWS_SECRET_ACCESS_KEY_FILE: path,
      AWS_ACCESS_KEY_ID: 'id',
      KAFKA_DELTA_SASL_PASSWORD_FILE: path,
    }
    const config = loadConfig({ object: { kafka: login({}) }, env })
    assert.equal(config.storage.s3.secretAccessKey, 'secret')
    assert.equal(config.kafka.sasl?.password, 'secret')
  })

  const FAULTS: [string, object, RegExp][] = [
    [
      'that does not exist',
      { passwordFile: join(folder, 'absent') },
      /passwordFile: cannot be read \(ENOENT\)/,
    ],
    ['that is empty', { passwordFile: file('d', '\n') }, /passwordFile: must not be empty/],
    ['that is too large', { passwordFile: file('e', 'x'.repeat(70_000)) }, /at most 65536 bytes/],
    [
      'in addition to the secret itself',
      { password: 'x', passwordFile: file('f', 'hunter2') },
      /remove one of them/,
    ],
  ]
  for (const [what, more, pattern] of FAULTS) {
    it(`a file ${what} is one fault, and no secret is shown`, () => {
      assert.throws(
        () => load(login(more)),
        (error: Error) => {
          assert.match(error.message, pattern)
          assert.match(error.message, /1 fault\n/)
          assert.ok(!error.message.includes('hunter2'), error.message)
          return true
        },
      )
    })
  }
})
