import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnNameFault, findField, findNameFault, type DataType } from '../../src/core/schema.ts'
import { arrayOf, fieldOf, mapOf, structOf } from '../support/flow/batches.ts'

test('A name that no column can have has a reason; a table that maps its columns accepts more', () => {
  for (const name of ['a', 'a.b', 'ä', '😀', '\u0001', '-', 'constructor', 'x'.repeat(300)])
    assert.equal(columnNameFault(name), undefined, name)
  const half = 'is not well-formed Unicode: it contains half of a surrogate pair'
  const cases: readonly (readonly [string, string])[] = [
    ['', 'is empty'],
    ['__proto__', 'is reserved'],
    ['\0', 'contains the character U+0000'],
    ['\ufeffx', 'begins with a byte order mark (U+FEFF)'],
    ['nul\0', 'contains the character U+0000'],
    ['\ud800', half],
    ['\udc00x', half],
    ['x\udbff', half],
    ['\ude00\ud83d', half],
    ['😀\ud83d', half],
  ]
  for (const [name, fault] of cases) {
    assert.equal(columnNameFault(name), fault, JSON.stringify(name))
    assert.equal(columnNameFault(name, true), fault, JSON.stringify(name))
  }
  for (const character of ' ,;{}()\n\t=') {
    assert.match(columnNameFault(`a${character}b`) ?? '', /^contains one of/)
    assert.equal(columnNameFault(`a${character}b`, true), undefined)
  }
})

test('The first bad name is found at any depth, with its path', () => {
  const bad = structOf({ good: 'long', 'b\ud800': 'long' })
  const cases: readonly (readonly [DataType, string])[] = [
    [bad, 'b\ud800'],
    [structOf({ s: bad }), 's.b\ud800'],
    [structOf({ l: arrayOf(arrayOf(bad)) }), 'l.element.element.b\ud800'],
    [structOf({ m: mapOf(bad) }), 'm.value.b\ud800'],
    [structOf({ m: mapOf('long', bad) }), 'm.key.b\ud800'],
    [structOf({ a: structOf({ 'x y': 'long' }) }), 'a.x y'],
  ]
  for (const [type, path] of cases) assert.equal(findNameFault(type)?.path, path)
  assert.equal(findNameFault(structOf({ a: structOf({ 'x y': 'long' }) }), true), undefined)
  assert.equal(findNameFault('long'), undefined)
  const twice = { type: 'struct', fields: [fieldOf('Id', 'long'), fieldOf('iD', 'long')] } as const
  assert.deepEqual(findNameFault(structOf({ s: twice, ok: mapOf(structOf({ id: 'long' })) })), {
    path: 's.iD',
    fault: 'appears twice, regardless of case',
  })
})

test('A field is found by its exact name first, then without regard to case', () => {
  const type = { type: 'struct', fields: [fieldOf('ID', 'long'), fieldOf('id', 'string')] } as const
  assert.equal(findField(type, 'id')?.type, 'string')
  assert.equal(findField(type, 'Id')?.type, 'long')
  assert.equal(findField(type, 'x'), undefined)
})
