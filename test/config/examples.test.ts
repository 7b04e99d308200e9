import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'

const folder = join(import.meta.dirname, '../../config/examples')

describe('example configurations', () => {
  for (const name of readdirSync(folder)) {
    it(`${name} loads`, () => {
      const env = name === 'event-hubs.json' ? { KAFKA_DELTA_SASL_PASSWORD: 'Endpoint=sb://x' } : {}
      const config = loadConfig({ files: [join(folder, name)], env, needsTopic: true })
      assert.ok(Object.keys({ ...config.topics, ...config.patterns }).length > 0, 'it names topics')
    })
  }
})
