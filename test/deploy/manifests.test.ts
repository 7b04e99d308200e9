// What kustomize and helm make of our manifests, checked against the schemas of Kubernetes and against the service itself.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Manifests } from './support/manifests.ts'
import { mounted, type Mounted } from './support/mounted.ts'
import * as rules from './support/rules.ts'
import { manifestTools, objectsOf, projectFile, type ManifestTools } from './support/tools.ts'

const FOLDERS = ['base', 'overlays/dev', 'overlays/staging', 'overlays/prod']
const VALUES = ['small-values.yaml', 'base-values.yaml', 'full-values.yaml', 'bare-values.yaml']

/** One way to install the service. */
interface Rendering extends Mounted {
  readonly name: string
  readonly text: string
  readonly manifests: Manifests
}

let tools: ManifestTools
let folder = ''
let renderings: readonly Rendering[] = []

before(async () => {
  tools = await manifestTools()
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-deploy-'))
  renderings = await Promise.all([
    ...FOLDERS.map((name) => render(name, () => tools.kustomize(name))),
    ...VALUES.map((name) => render(name, () => tools.helm([name]))),
  ])
})

after(() => rm(folder, { recursive: true, force: true }))

async function render(name: string, make: () => Promise<string>): Promise<Rendering> {
  const text = await make()
  const manifests = new Manifests(objectsOf(text))
  return { name, text, manifests, ...(await mounted(manifests, join(folder, name))) }
}

function rendered(name: string): Rendering {
  const found = renderings.find((each) => each.name === name)
  assert.ok(found !== undefined, name)
  return found
}

/** Every rendering with what a rule finds wrong in it. */
function faultsOf(rule: (rendering: Rendering) => readonly string[]): readonly string[] {
  return renderings.flatMap((rendering) => rule(rendering).map((fault) => `${rendering.name}: ${fault}`))
}

test('every overlay and every file of values of the chart is rendered', async () => {
  const overlays = await readdir(join(import.meta.dirname, '../../deploy/kubernetes/overlays'))
  assert.deepEqual(['base', ...overlays.map((name) => `overlays/${name}`)].sort(), [...FOLDERS].sort())
  const values = await readdir(join(import.meta.dirname, '../../deploy/helm/kafka-delta/ci'))
  assert.deepEqual(values.sort(), [...VALUES].sort())
})

test('every object is one that Kubernetes takes, with no field that it does not know', async () => {
  for (const { name, text, manifests } of renderings) {
    const { valid, faults } = await tools.kubeconform(text)
    assert.deepEqual(faults, [], name)
    assert.equal(valid, manifests.all.length, name)
  }
})

test('a field that a kind does not have is found, and so is a kind without a schema', async () => {
  const service = rendered('base').text.replace('publishNotReadyAddresses', 'publishNotReadyAdresses')
  assert.deepEqual((await tools.kubeconform(service)).faults.length, 1)
  const unknown = await tools.kubeconform('apiVersion: v1\nkind: Unknown\nmetadata: { name: a }\n')
  assert.equal(unknown.valid, 0)
  assert.equal(unknown.faults.length, 1)
})

test('the chart passes the check of helm itself with all values', async () => {
  for (const values of VALUES) assert.equal(await tools.lint([values]), '', values)
})

test('the configuration in each config map is one that the service starts with, in the place where it is mounted', () => {
  // Loading it, with every file that it names, was the test; `mounted` rejects with the faults.
  for (const { name, config } of renderings) {
    assert.ok(Object.keys(config.topics).length > 0, name)
    assert.equal(config.kafka.clientId, 'kafka-delta-0', name)
  }
  assert.deepEqual(faultsOf(rules.pathsWithoutFile), [])
})

test('endpoints are reached from outside of the pod at one port, which all objects mean', () => {
  assert.deepEqual(faultsOf(rules.portFaults), [])
})

test('probes ask paths that the service answers at', async () => {
  const names = await readdir(join(import.meta.dirname, '../../src/service'), { recursive: true })
  const sources = await Promise.all(
    names.filter((name) => name.endsWith('.ts')).map((name) => projectFile(join('src/service', name))),
  )
  const answered = new Set(
    sources.flatMap((text) => [...text.matchAll(/\.get\(\s*'(\/[^']+)'/g)].map(([, path]) => path)),
  )
  for (const path of ['/healthz', '/readyz', '/metrics']) assert.ok(answered.has(path), path)
  for (const { name, manifests } of renderings) {
    const { startupProbe, livenessProbe, readinessProbe } = manifests.container
    assert.equal(startupProbe.httpGet.path, '/healthz', name)
    // A process that waits for a store or for Kafka must not be restarted for it.
    assert.equal(livenessProbe.httpGet.path, '/healthz', name)
    assert.equal(readinessProbe.httpGet.path, '/readyz', name)
  }
})

test('pods are given longer to stop than the service takes', () => {
  for (const { name, manifests, config } of renderings) {
    const graceMs = manifests.pod.terminationGracePeriodSeconds * 1000
    assert.ok(graceMs >= config.shutdown.deadlineMs + 5000, `${name}: ${graceMs} ms`)
  }
})

test('pods keep to the restricted standard, read no token and write nothing', () => {
  assert.deepEqual(faultsOf(rules.securityFaults), [])
})

test('the memory limit holds what topics may buffer beside what the process needs by itself', () => {
  assert.deepEqual(faultsOf(rules.memoryFaults), [])
})

test('services, budgets, policies and spreads select the pods of the service and no others', () => {
  assert.deepEqual(faultsOf(rules.selectorFaults), [])
})

test('whatever server the configuration and the variables name is one that the network policy lets through', () => {
  assert.deepEqual(faultsOf(rules.egressFaults), [])
  const { manifests, config } = rendered('base')
  const elsewhere = { ...config, kafka: { ...config.kafka, brokers: ['elsewhere.kafka.svc:9999'] } }
  assert.equal(rules.egressFaults({ manifests, config: elsewhere, env: {} }).length, 1)
})

test('KEDA asks for the lag of the topics and the group of the configuration, limited by partitions', () => {
  const scaled = renderings.filter(({ manifests }) => manifests.of('ScaledObject').length > 0)
  assert.deepEqual(
    scaled.map(({ name }) => name),
    ['overlays/staging', 'overlays/prod', 'full-values.yaml'],
  )
  assert.deepEqual(faultsOf(rules.scalingFaults), [])
})

test('overlays differ in what they are for', () => {
  const [dev, staging, prod] = ['dev', 'staging', 'prod'].map((name) => rendered(`overlays/${name}`))
  assert.ok(dev !== undefined && staging !== undefined && prod !== undefined, 'all three are there')
  assert.equal(dev.manifests.spec('StatefulSet').replicas, 1)
  assert.deepEqual([dev.config.log.level, prod.config.log.level], ['debug', 'info'])
  assert.match(dev.manifests.container.image, /:latest$/)
  for (const { manifests } of [staging, prod]) assert.match(manifests.container.image, /:\d+\.\d+\.\d+$/)
  const most = ({ manifests }: Rendering): number => manifests.spec('ScaledObject').maxReplicaCount
  assert.ok(most(prod) > most(staging), 'production may have more pods')
  assert.notDeepEqual(prod.manifests.container.resources, dev.manifests.container.resources)
  assert.equal(new Set([dev, staging, prod].map(({ config }) => config.kafka.brokers[0])).size, 3)
  assert.equal(
    new Set([dev, staging, prod].map(({ config }) => config.topics['user-events']?.table.uri)).size,
    3,
  )
})

test('the chart with the values of the base says what the base says', () => {
  const [chart, base] = [rendered('base-values.yaml'), rendered('base')]
  // Defaults that image and files bring are the same then, too.
  assert.deepEqual(
    rules.essentialsOf(chart, join(folder, chart.name)),
    rules.essentialsOf(base, join(folder, base.name)),
  )
})

test('the chart refuses values that cannot work, and says which', async () => {
  const refused = async (set: string): Promise<string> =>
    tools.helm(['small-values.yaml'], [set]).then(
      () => 'taken',
      (error: unknown) => String(error),
    )
  assert.match(
    await refused('terminationGracePeriodSeconds=25'),
    /must be longer than config\.shutdown\.deadlineMs/,
  )
  assert.match(await refused('config.http.host=127.0.0.1'), /\/config\/http\/host/)
  assert.match(await refused('config.kafka.brokers=null'), /brokers/)
  assert.match(await refused('keda.enable=true'), /enable/)
  assert.match(await refused('secrets.existingSecret=a'), /secrets\.keys/)
})

test('what has a version has that of the package', async () => {
  const { version } = JSON.parse(await projectFile('package.json')) as { readonly version: string }
  const chart = await projectFile('deploy/helm/kafka-delta/Chart.yaml')
  assert.match(chart, new RegExp(`^version: ${version}$`, 'm'))
  assert.match(chart, new RegExp(`^appVersion: ${version}$`, 'm'))
  assert.equal(rendered('base').manifests.container.image, `kafka-delta:${version}`)
  assert.ok(
    existsSync(join(import.meta.dirname, '../../deploy/helm/kafka-delta/README.md')),
    'the chart is described',
  )
})
