// A build of the image would be the first to miss a file, a platform or a package; no engine is needed to see them missing.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const dockerfile = read('Dockerfile')
/** What the build is given: everything is left out but these. */
const given = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name = '']) => name)
/** From where the last stage begins: what is shipped. */
const shipped = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))

interface Locked {
  readonly version?: string
  readonly dev?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly hasInstallScript?: boolean
}

/** Packages that the image installs, by their folder. */
const installed = Object.entries(
  (JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> }).packages,
).filter(([folder, { dev }]) => folder !== '' && dev !== true)

test('what the image copies exists and is given to its build', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?!\. )(.+) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  )
  assert.ok(copied.length > 3, copied.join())
  for (const name of [...copied, ...given])
    assert.ok(statSync(join(root, name), { throwIfNoEntry: false }) !== undefined, name)
  for (const name of copied) assert.ok(given.includes(name.split('/')[0] ?? ''), name)
})

test('all that the compiler reads for a build is given to it', () => {
  const { include } = JSON.parse(read('tsconfig.build.json')) as { include: readonly string[] }
  for (const name of include) assert.ok(given.includes(name), name)
})

test('what runs in the image imports only packages that it installs', () => {
  const { dependencies: own, peerDependencies } = JSON.parse(read('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>
    readonly peerDependencies: Readonly<Record<string, string>>
  }
  // The command has peers within its bundle.
  const dependencies = { ...own, ...peerDependencies }
  const files = ['src', 'config', 'operators'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  )
  assert.ok(files.length > 300, `${files.length} files`)
  const missing = files.flatMap((file) =>
    [
      ...read(file).matchAll(
        /^(?:import|export) (?!type )[^'"]*?from '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm,
      ),
    ]
      .map(([, first, second]) => first ?? second ?? '')
      .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
      .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
      .filter((name) => !(name in dependencies))
      .map((name) => `${file} imports ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('packages of the image need no script to be installed, since none is run', () => {
  assert.match(dockerfile, /npm ci --omit=dev --ignore-scripts/)
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true)
  assert.deepEqual(
    scripted.map(([folder]) => folder),
    [],
  )
})

test('what is native for one platform of the image is there for the other', () => {
  const nativeFor = (cpu: string): readonly string[] =>
    installed
      .filter(([, locked]) => locked.os?.includes('linux') === true && locked.cpu?.includes(cpu) === true)
      .filter(([, { libc }]) => libc?.includes('glibc') !== false)
      .map(([folder, { version }]) => `${folder.replace(cpu, '*')} ${String(version)}`)
      .sort()
  assert.ok(nativeFor('x64').length >= 2, 'the codecs are native')
  assert.deepEqual(nativeFor('arm64'), nativeFor('x64'))
  // Nothing in the steps themselves is for one platform.
  assert.doesNotMatch(dockerfile, /RUN .*(?:amd64|arm64|x86_64|aarch64)/)
  assert.match(dockerfile, /^FROM \$\{NODE_IMAGE\} AS modules$/m)
})

test('the image is not run as root, is told to stop by SIGTERM, and says what it is', () => {
  assert.match(shipped, /^USER [1-9]\d*:[1-9]\d*$/m)
  assert.match(shipped, /^STOPSIGNAL SIGTERM$/m)
  for (const name of ['title', 'description', 'licenses', 'version', 'revision'])
    assert.match(shipped, new RegExp(`org\\.opencontainers\\.image\\.${name}=`), name)
  const { version, license } = JSON.parse(read('package.json')) as { version: string; license: string }
  assert.match(shipped, new RegExp(`^ARG VERSION=${version}$`, 'm'))
  assert.ok(shipped.includes(`image.licenses="${license}"`), license)
})

test('the health check asks at the port that the image sets', () => {
  const port = /\bKAFKA_DELTA_HTTP_PORT=(\d+)/.exec(shipped)?.[1]
  assert.ok(port !== undefined, 'a port is set')
  assert.match(shipped, new RegExp(`^EXPOSE ${port}$`, 'm'))
  const [, command = ''] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(shipped) ?? []
  // Without a shell, and at the port of the environment.
  assert.deepEqual(JSON.parse(command), ['kafka-delta', 'health'])
  assert.match(read('src/cli/main.ts'), /^ {2}health: async \(\) => \(await import\('\.\/health\.ts'\)\)/m)
})

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}
