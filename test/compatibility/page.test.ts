// Goal: the page of compatibility and its tests name the same rows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROWS } from './producers.ts'

const ROWS_MIN = 60
const page = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8')
const listed = [...page.matchAll(/^\| `([a-z0-9-]+)` /gm)].map(([, id = '']) => id)

test('Each row of docs/compatibility.md has a test, and each test a row', () => {
  const tested = ROWS.map(({ id }) => id)
  assert.equal(new Set(tested).size, tested.length, 'no id is used twice')
  assert.deepEqual(listed.toSorted(), tested.toSorted())
})

test(`The page has at least ${ROWS_MIN} rows, and each says what comes in and what becomes of it`, () => {
  assert.ok(listed.length >= ROWS_MIN, String(listed.length))
  for (const line of page.split('\n').filter((each) => /^\| `/.test(each))) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    assert.equal(cells.length, 5, line)
    assert.ok(
      cells.slice(1, 4).every((cell) => cell !== ''),
      line,
    )
  }
})
