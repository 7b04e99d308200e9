import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NullRuns } from '../../../src/arrow/sparse/null-runs.ts'
import { chanceOf } from '../../support/values/chance.ts'

test('Runs of nulls give the rows of the values, also after random truncations', (t) => {
  const chance = chanceOf(t)
  const nulls = new NullRuns()
  for (let round = 0; round < 200; round++) {
    let isValue: boolean[] = []
    let values = 0
    for (let step = 0; step < 300; step++) {
      if (chance.once(20)) {
        const length = chance.int(isValue.length + 1)
        values = nulls.truncate(length, values)
        isValue = isValue.slice(0, length)
      } else if (chance.once(2)) {
        values++
        isValue.push(true)
      } else {
        const count = 1 + chance.int(5)
        nulls.add(values, count)
        isValue.push(...Array.from({ length: count }, () => false))
      }
      assert.equal(nulls.count, isValue.filter((value) => !value).length)
    }
    const expected = [...isValue.keys()].filter((row) => isValue[row])
    assert.deepEqual([...nulls.finish(values)], expected)
    assert.equal(nulls.count, 0)
  }
})
