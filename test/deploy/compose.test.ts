// The composed services: which files of the project they need, and that our programs take their command lines.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Command } from 'commander'
import { parse } from 'yaml'
import { loadConfig } from '../../config/load/load.ts'
import { addLoad } from '../../src/cli/load/load.ts'

interface Service {
  readonly image: string
  readonly command?: string | readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly mem_limit?: string
  readonly read_only?: boolean
  readonly stop_grace_period?: string
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>
}

const root = join(import.meta.dirname, '../..')
const { services } = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Readonly<Record<string, Service>>
}

test('every folder and file that is mounted from the project exists', async () => {
  const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes)
  const paths = mounts.flatMap((mount) => (mount.startsWith('./') ? [mount.split(':')[0] ?? ''] : []))
  assert.ok(paths.length >= 3, paths.join(' '))
  for (const path of paths) await stat(join(root, path))
})

test('ports are open on the loopback address alone, memory is bounded, and our own programs write nothing', () => {
  for (const [name, { ports = [], mem_limit, image, read_only }] of Object.entries(services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name)
    assert.match(mem_limit ?? '', /^\d+[mg]$/, `${name} has no limit of memory`)
    assert.match(image, /^kafka-delta$|:v?[\dR]/, `${name} takes whatever is newest`)
    if (image === 'kafka-delta') assert.equal(read_only, true, name)
  }
})

test('the configuration that the service runs with is valid, with the variables that it is given', () => {
  const { environment, stop_grace_period } = serviceOf('kafka-delta')
  const words = wordsOf('kafka-delta')
  assert.equal(words.shift(), 'run')
  const config = loadConfig({
    files: valuesOf(words, '--config').map((path) => join(root, path)),
    env: textsOf(environment),
    set: valuesOf(words, '--set'),
    needsTopic: true,
  })
  assert.deepEqual(config.kafka.brokers, ['kafka:9092'])
  assert.deepEqual({ port: config.http.port, host: config.http.host }, { port: 8080, host: '0.0.0.0' })
  const { endpoint, forcePathStyle } = config.storage.s3
  assert.deepEqual({ endpoint, forcePathStyle }, { endpoint: 'http://s3:9000', forcePathStyle: true })
  assert.ok(Number.parseInt(stop_grace_period ?? '') * 1_000 > config.shutdown.deadlineMs, 'it may drain')
  const { topic, table } = config.topics['user-events'] ?? {}
  assert.match(String(serviceOf('topic').command), new RegExp(`--topic ${String(topic)} --partitions`))
  assert.match(String(table?.uri), /^s3:\/\/lake\//)
  assert.match(String(serviceOf('bucket').command), /lake\/lake$/)
})

test('the producer has a command line that our program takes, for the topic that is carried', async () => {
  const program = new Command('kafka-delta').exitOverride()
  addLoad(program, () => undefined)
  let taken: { readonly topic?: readonly string[] } = {}
  const load = program.commands[0]?.exitOverride().action((flags: typeof taken) => void (taken = flags))
  assert.ok(load !== undefined, 'there is a command `load`')
  await program.parseAsync(wordsOf('producer'), { from: 'user' })
  assert.deepEqual(taken.topic, ['user.events.v1'])
})

test('Prometheus asks the service where it listens, and Grafana finds Prometheus and the dashboard', async () => {
  const { environment } = serviceOf('kafka-delta')
  const target = `kafka-delta:${String(environment?.['KAFKA_DELTA_HTTP_PORT'])}`
  const prometheus = parse(await readFile(join(root, 'deploy/prometheus/prometheus.yaml'), 'utf8')) as {
    scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[]
  }
  assert.deepEqual(prometheus.scrape_configs[0]?.static_configs[0]?.targets, [target])
  const provisioning = join(root, 'deploy/grafana/provisioning')
  const { datasources } = parse(
    await readFile(join(provisioning, 'datasources/prometheus.yaml'), 'utf8'),
  ) as { datasources: readonly { url: string }[] }
  for (const { url } of datasources) {
    const { hostname, port } = new URL(url)
    const ports = serviceOf(hostname).ports?.map((each) => each.split(':').at(-1))
    assert.ok(ports?.includes(port), `${url} is a service and one of its ports`)
  }
  const { providers } = parse(await readFile(join(provisioning, 'dashboards/kafka-delta.yaml'), 'utf8')) as {
    providers: readonly { options: { path: string } }[]
  }
  const folder = providers[0]?.options.path ?? ''
  const mounted = serviceOf('grafana').volumes?.map((mount) => mount.split(':')[1])
  assert.ok(mounted?.includes(`${folder}/dashboard.json`), folder)
  assert.equal(
    textsOf(serviceOf('grafana').environment)['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'],
    `${folder}/dashboard.json`,
  )
})

function serviceOf(name: string): Service {
  const service = services[name]
  assert.ok(service !== undefined, `there is no service ${name}`)
  return service
}

function wordsOf(name: string): string[] {
  const { command } = serviceOf(name)
  return typeof command === 'string' ? command.split(' ') : [...(command ?? [])]
}

function textsOf(environment: Service['environment'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
}

function valuesOf(words: readonly string[], flag: string): string[] {
  return words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ''] : []))
}
