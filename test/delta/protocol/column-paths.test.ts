import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseClusteringPaths, parseColumnPaths } from '../../../src/delta/protocol/column-paths.ts'

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

for (const [domain, paths] of [
  ['{"clusteringColumns":[["a","b"],"c.d"]}', [['a', 'b'], ['c.d']]],
  ['{"clusteringColumns":[["a"],7,["b",8]]}', [['a'], undefined, undefined]],
  ['{"clusteringColumns":[]}', []],
  ['{"clusteringColumns":"a"}', undefined],
  ['{}', undefined],
  ['[]', undefined],
  ['{', undefined],
] as const) {
  test(`The domain ${domain} names the clustering columns ${JSON.stringify(paths)}`, () => {
    assert.deepEqual(parseClusteringPaths(domain), paths)
  })
}
