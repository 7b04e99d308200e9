import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isResolvablePath, parseStoreUri, storeUriFault } from '../../../src/core/uri/store-uri.ts'

for (const [uri, location] of [
  ['s3://lake', { kind: 's3', bucket: 'lake', prefix: '' }],
  ['S3A://lake/a/b=c d/', { kind: 's3', bucket: 'lake', prefix: 'a/b=c d' }],
  ['gs://lake//a/', { kind: 'gcs', bucket: 'lake', prefix: 'a' }],
  ['az://lake/a', { kind: 'azure', container: 'lake', prefix: 'a' }],
  ['abfss://lake@account.x/', { kind: 'azure', container: 'lake', host: 'account.x', prefix: '' }],
  ['memory:name', { kind: 'memory', name: 'name' }],
  ['file:///data/a%20b', { kind: 'local', path: '/data/a b' }],
  ['file:/data', { kind: 'local', path: '/data' }],
  ['/data/table', { kind: 'local', path: '/data/table' }],
  ['data/a:b/~/$x', { kind: 'local', path: 'data/a:b/~/$x' }],
  ['~backup', { kind: 'local', path: '~backup' }],
  ['./~/table', { kind: 'local', path: './~/table' }],
  ['./dbfs:/x', { kind: 'local', path: './dbfs:/x' }],
  ['$schema.d', { kind: 'local', path: '$schema.d' }],
  ['2026:01/x', { kind: 'local', path: '2026:01/x' }],
] as const)
  test(`${uri} is parsed`, () => {
    assert.deepEqual(parseStoreUri(uri, 'linux'), location)
  })

for (const [uri, fault] of [
  ['', /must not be empty/],
  ['  ', /must not be empty/],
  [' s3://lake/a', /white space/],
  ['/data/a\n', /white space/],
  ['/data/\0a', /control characters/],
  ['~', /without "~"/],
  ['~/lake/a', /without "~" .*write \.\/~\/lake\/a/],
  ['~user/lake', /without "~"/],
  ['$HOME/lake', /variables/],
  ['${HOME}/lake', /variables/],
  ['C:\\lake\\a', /not of Windows/],
  ['d:/lake', /not of Windows/],
  ['lake\\a', /separate folders by "\/"/],
  ['\\\\server\\lake', /separate folders by "\/"/],
  ['s3://', /s3:\/\/bucket\/prefix/],
  ['s3:///a', /s3:\/\/bucket\/prefix/],
  ['s3:/lake/a', /s3:\/\/bucket\/prefix/],
  ['s3:lake', /s3:\/\/bucket\/prefix/],
  ['s3://key:secret@lake/a', /plain bucket name/],
  ['gs://', /gs:\/\/bucket\/prefix/],
  ['abfss://', /abfss:\/\/container@account/],
  ['az:///a', /az:\/\/container\/prefix/],
  ['az://lake/a?sv=1&sig=secret', /without a signature/],
  ['file:lake', /file:\/\/\/folder/],
  ['file://host/a', /file:\/\/\/folder/],
  ['file:///data/a#b', /percent-encoded/],
  ['dbfs:/lake/a', /not with dbfs: .*\/dbfs\/lake/],
  ['hdfs://nn:8020/lake', /not with hdfs: /],
  ['s3n://lake/a', /not with s3n: \(write s3:/],
  ['gcs://lake/a', /not with gcs: \(write gs:/],
  ['wasbs://c@a.blob.core.windows.net/x', /not with wasbs: \(write abfss:/],
  ['https://user:secret@host/lake', /not with https: /],
  ['lake:a', /not with lake: \(for a folder of that name write \.\/lake:\)/],
  ['constructor:a', /not with constructor: /],
] as const)
  test(`${JSON.stringify(uri)} is refused, without a secret in the message`, () => {
    const parsed = parseStoreUri(uri, 'linux')
    assert.ok('fault' in parsed)
    assert.match(parsed.fault, fault)
    assert.doesNotMatch(parsed.fault, /secret/)
  })

test('On Windows its paths are local', () => {
  for (const path of ['C:\\lake\\a', 'd:/lake', 'lake\\a', '\\\\server\\lake'])
    assert.deepEqual(parseStoreUri(path, 'win32'), { kind: 'local', path })
  assert.ok('fault' in parseStoreUri('dbfs:/lake', 'win32'))
})

test('Only a plain path is resolved against a folder', () => {
  for (const path of ['a', './a', '../a', '/a', './~', '$schema.json', 'a b', 'x/~/y'])
    assert.equal(isResolvablePath(path), true, path)
  for (const text of ['', ' a', 'a ', 's3://lake', 'dbfs:/x', 'C:\\x', '~', '~/x', '$HOME/x', '${HOME}'])
    assert.equal(isResolvablePath(text), false, text)
})

test('A URI that can be opened has no fault', () => {
  assert.equal(storeUriFault('s3://lake/a'), undefined)
  assert.match(storeUriFault('s3://') ?? '', /^must be /)
})
