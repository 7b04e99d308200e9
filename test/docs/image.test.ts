// The image names files of the project; a build would be the first to miss one.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const dockerfile = read('Dockerfile')
/** What the build is given: everything is left out but these. */
const given = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name)

test('what the image copies exists and is given to its build', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?!\. )(.+) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  )
  assert.ok(copied.length > 3)
  for (const name of [...copied, ...given])
    assert.ok(statSync(join(root, name), { throwIfNoEntry: false }) !== undefined, name)
  for (const name of copied) assert.ok(given.includes(name.split('/')[0] ?? ''), name)
})

test('all that the compiler reads for a build is given to it', () => {
  const { include } = JSON.parse(read('tsconfig.build.json')) as { include: readonly string[] }
  for (const name of include) assert.ok(given.includes(name), name)
})

test('the image does not run as root and looks after its health with a file that it holds', () => {
  assert.match(dockerfile, /^USER node$/m)
  const script = /^HEALTHCHECK .*"(docker\/[^"]+)"/m.exec(dockerfile)?.[1]
  assert.ok(script !== undefined && statSync(join(root, script)).isFile())
})

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}
