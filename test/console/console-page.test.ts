import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { consolePage } from '../../src/console/console-page.ts'
import { packageFile } from '../../src/core/uri/package-file.ts'

test('A file of the package is found, and one that is not there is not', () => {
  const path = packageFile('schemas/user-events.schema.json')
  assert.ok(path)
  assert.ok(readFileSync(path, 'utf8').startsWith('{'))
  assert.equal(packageFile('schemas/no-such.schema.json'), undefined)
})

test('The page of the package is whole: its script and its style are in it', () => {
  const page = consolePage()
  assert.ok(page, 'npm run build makes it')
  assert.match(page, /<script type="module">.{1000,}<\/script>/s)
  assert.match(page, /<style>.{1000,}<\/style>/s)
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\//)
})
