// The image and the compose file name files of the project; a build would be the first to miss one.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../config/load.ts'

const root = join(import.meta.dirname, '../..')
const dockerfile = read('Dockerfile')
const compose = read('docker-compose.yml')
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

test('the configuration that the composed service runs with is valid, with the variables that it is given', () => {
  const file = /'--config', '([^']+)'/.exec(compose)?.[1] ?? ''
  const set = /'--set', '([^']+)'/.exec(compose)?.[1] ?? ''
  const env = Object.fromEntries(
    [...compose.matchAll(/^ +((?:AWS|KAFKA_BOOTSTRAP)\w+): '?([^'\n]+)'?$/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  ) as Record<string, string>
  const config = loadConfig({ files: [join(root, file)], env, set: [set], needsTopic: true })
  assert.deepEqual(config.kafka.brokers, ['kafka:9092'])
  assert.deepEqual(
    { endpoint: config.storage.s3.endpoint, forcePathStyle: config.storage.s3.forcePathStyle },
    { endpoint: 'http://s3:9000', forcePathStyle: true },
  )
  const { topic, table } = config.topics['user-events'] ?? {}
  assert.ok(compose.includes(`--topic ${String(topic)} --partitions`))
  assert.ok(String(table?.uri).startsWith('s3://lake/') && compose.includes('lake/lake'))
})

test('the program of the composed producer is one that the build makes', () => {
  const program = /entrypoint: \['node', 'dist\/([^']+)\.js'\]/.exec(compose)?.[1]
  assert.ok(program !== undefined && statSync(join(root, `${program}.ts`)).isFile())
})

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}
