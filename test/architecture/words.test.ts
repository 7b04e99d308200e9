import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRODUCT } from './files.ts'

const SOURCES = PRODUCT.filter(({ path }) => path !== 'src/index.ts')

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|class|interface|type|const|let) (\w+)/

test('An exported name means one thing', () => {
  const places = new Map<string, Set<string>>()
  for (const { path, text } of SOURCES)
    for (const line of text.split('\n')) {
      const name = EXPORT.exec(line)?.[2]
      if (name !== undefined) places.set(name, (places.get(name) ?? new Set()).add(path))
    }
  assert.ok(places.size > 1_000)
  assert.deepEqual(
    [...places].filter(([, paths]) => paths.size > 1).map(([name, paths]) => [name, ...paths]),
    [],
  )
})

/** First words of a docstring that has no subject, or hides it. */
const RIDDLES =
  /^(?:Of|Those|That of|The same|Likewise|What|How|Whether|Where|Who|Whose|Nothing|Nobody|None)\b/

test('A docstring begins with a subject or a verb', () => {
  const faults = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/\/\*\*\s+(?:\* )?([^\n]*)/g)]
      .filter(([, first = '']) => RIDDLES.test(first))
      .map(([, first = '']) => `${path}: ${first}`),
  )
  assert.deepEqual(faults, [])
})

test('The docstring of an exported function begins with a verb in the present tense', () => {
  const faults = SOURCES.flatMap(({ path, text }) =>
    [
      ...text.matchAll(
        /\/\*\*\s+(?:\* )?([^\n]*?)\s*(?:\*\/)?\n(?: \*[^\n]*\n)*export (?:async )?function\*? (\w+)/g,
      ),
    ]
      .filter(([, first = '']) => !/^(?:`[^`]+` )?[A-Z]?[a-z]+(?:s|es)\b/.test(first))
      .map(([, first = '', name = '']) => `${path}: ${name}: ${first}`),
  )
  assert.deepEqual(faults, [])
})

test('Every export of a file has a docstring', () => {
  const faults = SOURCES.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return lines.flatMap((line, index) => {
      const name = EXPORT.exec(line)?.[2]
      // The first of several signatures has the docstring of all.
      const isOverload =
        name !== undefined && lines.slice(0, index).some((before) => EXPORT.exec(before)?.[2] === name)
      return name === undefined || isOverload || /\*\/\s*$/.test(lines[index - 1] ?? '')
        ? []
        : [`${path}: ${name}`]
    })
  })
  assert.deepEqual(faults, [])
})
