import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readHashKey, readLookup } from '../../src/transforms/files.ts'

const folder = await mkdtemp(join(tmpdir(), 'lookups-'))
after(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

test('Reference files are CSV keyed by the first column, or JSON keyed by property', async () => {
  const csv = await readLookup(await file('a.csv', '\ufeffcode,name,note\n1,"a, b",\n2,c,d\n'), 'lookups.a')
  assert.deepEqual(
    [...csv],
    [
      ['1', { name: 'a, b', note: null }],
      ['2', { name: 'c', note: 'd' }],
    ],
  )
  const json = await readLookup(await file('a.json', '{"x":{"y":1},"z":"plain"}'), 'lookups.a')
  assert.deepEqual(
    [...json],
    [
      ['x', { y: 1 }],
      ['z', 'plain'],
    ],
  )
})

test('An unusable reference file is refused with its option', async () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['twice.csv', 'k,v\n1,a\n1,b\n', /the key "1" occurs in more than one line/],
    ['one.csv', 'k\n1\n', /expected a header with a key and columns/],
    ['ragged.csv', 'k,v\n1\n', /Invalid Record Length/],
    ['list.json', '[1]', /expected a JSON object/],
    ['broken.json', '{', /JSON/],
  ]
  for (const [name, text, message] of refused) {
    const path = await file(name, text)
    await assert.rejects(readLookup(path, 'lookups.x'), (error: Error) => {
      assert.match(error.message, /^The configuration has faults: lookups\.x: /)
      assert.match(error.message, message)
      return true
    })
  }
  await assert.rejects(readLookup(join(folder, 'none.csv'), 'lookups.x'), /ENOENT/)
})

test('A key comes from a file without its trailing line break or from the environment, and appears in no message', async () => {
  const bytesOf = async (place: string): Promise<string> =>
    (await readHashKey(place, 'hashKeys.k', { KEY: 'from env' })).export().toString()
  assert.equal(await bytesOf(await file('a.key', 'secret\r\n')), 'secret')
  assert.equal(await bytesOf(await file('b.key', 'secret\n\n')), 'secret\n')
  assert.equal(await bytesOf('env:KEY'), 'from env')
  await assert.rejects(bytesOf('env:NONE'), /hashKeys\.k: the environment variable NONE is not set/)
  await assert.rejects(bytesOf(await file('empty.key', '\n')), /hashKeys\.k: .* is empty/)
})
