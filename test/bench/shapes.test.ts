import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { SHAPES } from '../../bench/shapes/shapes.ts'

const COUNT = 500

function contentOf(content: unknown): string {
  return Buffer.from(String(content)).toString('latin1')
}

for (const { name, records } of SHAPES)
  test(`${name}: records are the same each time, and no value occurs twice`, () => {
    const values = new Set<string>()
    const hashes = [0, 1].map(() => {
      const hash = createHash('sha256')
      for (const { key, value } of records(COUNT)) {
        hash.update(contentOf(key)).update(contentOf(value))
        values.add(contentOf(value))
      }
      return hash.digest('hex')
    })
    assert.equal(hashes[0], hashes[1])
    assert.equal(values.size, COUNT)
  })

test('names of shapes are unique and can be part of a topic name', () => {
  const names = SHAPES.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^[a-z0-9-]+$/)
})
