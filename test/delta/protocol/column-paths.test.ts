import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseColumnPaths } from '../../../src/delta/protocol/column-paths.ts'

for (const [text, paths] of [
  ['', []],
  ['a', [['a']]],
  ['a, b.c ,d', [['a'], ['b', 'c'], ['d']]],
  ['`a.b`.c,`d``e`', [['a.b', 'c'], ['d`e']]],
  ['a b', [['a b']]],
  ['`a, b`', [['a, b']]],
] as const) {
  test(`The list ${JSON.stringify(text)} names ${JSON.stringify(paths)}`, () => {
    assert.deepEqual(parseColumnPaths(text), paths)
  })
}

for (const text of ['a,', ',a', 'a..b', '`a', 'a`b`', '``']) {
  test(`${JSON.stringify(text)} is not a list of columns`, () => {
    assert.equal(parseColumnPaths(text), undefined)
  })
}
