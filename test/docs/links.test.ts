// A reader who follows a link arrives, and every document can be found from the index.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const documents = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...documents.map((name) => `docs/${name}`)]

for (const page of pages) {
  test(`${page}: every link within the project leads somewhere, its anchor included`, () => {
    assert.deepEqual(faultsOf(page, read(page)), [])
  })
}

test('A link to a missing file or heading is a fault, one to what is there is none', () => {
  const text =
    '# One\n[a](nowhere.md) [b](#one) [c](#two) [d](../README.md#no-such) [e](https://x.example/#y)'
  assert.deepEqual(faultsOf('docs/any.md', text), ['nowhere.md', '#two', '../README.md#no-such'])
})

test('Headings become anchors as GitHub makes them', () => {
  const text =
    '# `KD_X`\n## How it is, in two (2) words\n```sh\n# no heading\n```\n## Same\n## Same\n## A & B’s'
  assert.deepEqual([...anchorsOf(text)], ['kd_x', 'how-it-is-in-two-2-words', 'same', 'same-1', 'a--bs'])
})

test('docs/README.md links every document', () => {
  const index = read('docs/README.md')
  const linked = new Set(linksOf(index).map(({ path }) => path))
  assert.deepEqual(
    documents.filter((name) => name !== 'README.md' && !linked.has(name)),
    [],
  )
})

/** The links of a page that lead nowhere, as they stand there. */
function faultsOf(page: string, text: string): string[] {
  return linksOf(text)
    .filter(({ path, anchor }) => {
      const target = path === '' ? page : normalize(join(dirname(page), path))
      if (statSync(join(root, target), { throwIfNoEntry: false }) === undefined && path !== '') return true
      if (anchor === undefined || (path !== '' && !target.endsWith('.md'))) return false
      return !anchorsOf(path === '' ? text : read(target)).has(anchor)
    })
    .map(({ path, anchor }) => (anchor === undefined ? path : `${path}#${anchor}`))
}

function linksOf(text: string): { readonly path: string; readonly anchor: string | undefined }[] {
  return [...prose(text).matchAll(/\]\((?![a-z]+:)<?([^)#\s>]*)(?:#([^)\s>]*))?>?\)/g)].map(
    ([, path = '', anchor]) => ({ path, anchor }),
  )
}

/** The anchors of all headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of prose(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

/** The text without blocks of code, in which neither headings nor links stand. */
function prose(text: string): string {
  return text.replaceAll(/^(```+|~~~+)[^]*?^\1/gm, '')
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
