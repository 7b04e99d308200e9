// What has to hold between manifests and the service; each rule returns what is wrong, one sentence a fault.
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Config } from '../../../config/types.ts'
import { bytesOf, selects, without, type Manifests, type ScaledObject, type Selector } from './manifests.ts'
import type { Mounted } from './mounted.ts'

/** One way to install the service, with what a pod of it would find. */
export interface Installed extends Mounted {
  readonly manifests: Manifests
}

/** What a process needs beside buffers: docs/benchmarks.md, "Memory", with a margin. */
const OWN_BYTES = 384 * 1024 * 1024
/** Part of its memory that a process takes for buffers where `budget.bytes` is not set. */
const BUFFERED_PART = 4

/** Paths in the configuration at which a pod would find no file. Tables on local disks are none that we install. */
export function pathsWithoutFile({ config }: Installed): readonly string[] {
  const texts = (value: unknown): readonly string[] =>
    typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(texts)
  return texts(config)
    .filter((text) => text.startsWith('/') && !existsSync(text))
    .map((path) => `${path} is in no mount`)
}

/** Where the port of service, container and configuration is not one. */
export function portFaults({ manifests, config }: Installed): readonly string[] {
  const { port, host } = config.http
  const service = manifests.spec('Service')
  const named = manifests.container.ports.map((each) => `${each.name} ${each.containerPort}`)
  const offered = service.ports.map((each) => `${each.name} ${each.port} ${each.targetPort}`)
  const { startupProbe, livenessProbe, readinessProbe } = manifests.container
  const asked = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.port)
  return [
    ...(named.join() === `http ${String(port)}`
      ? []
      : [`the container has ${named.join()}, not ${String(port)}`]),
    ...(offered.join() === `http ${String(port)} http` ? [] : [`the service has ${offered.join()}`]),
    ...(asked.every((each) => each === 'http') ? [] : [`probes ask ${asked.join()}`]),
    ...(['0.0.0.0', '::'].includes(host) ? [] : [`endpoints are bound to ${host}`]),
  ]
}

/** Where a pod is given more than it needs: Pod Security Standards, "restricted", and what goes beyond them. */
export function securityFaults({ manifests }: Installed): readonly string[] {
  const { pod, container } = manifests
  const { securityContext: own } = container
  const wanted: Readonly<Record<string, boolean>> = {
    'runs as somebody':
      pod.securityContext['runAsNonRoot'] === true && Number(pod.securityContext['runAsUser']) > 0,
    'has a seccomp profile':
      JSON.stringify(pod.securityContext['seccompProfile']) === '{"type":"RuntimeDefault"}',
    'gains no privileges': own['allowPrivilegeEscalation'] === false,
    'has no capabilities': JSON.stringify(own['capabilities']) === '{"drop":["ALL"]}',
    'cannot write its file system': own['readOnlyRootFilesystem'] === true,
    'is given no token': !pod.automountServiceAccountToken,
    'has no variables of other services': !pod.enableServiceLinks,
    'has mounts that are read only': container.volumeMounts.every(({ readOnly }) => readOnly === true),
    'has an account without a token': manifests
      .of('ServiceAccount')
      .every(({ automountServiceAccountToken: token }) => token === false),
  }
  return Object.keys(wanted).filter((what) => wanted[what] !== true)
}

/** Where buffers and process do not fit into the memory that the container may use. */
export function memoryFaults({ manifests, config }: Installed): readonly string[] {
  const { limits, requests } = manifests.container.resources
  const limit = bytesOf(limits['memory'])
  const budget = config.budget.bytes ?? limit / BUFFERED_PART
  const flushes = Object.entries(config.topics).filter(([, { flush }]) => flush.bytes > budget)
  return [
    ...(budget + OWN_BYTES <= limit ? [] : [`${budget} bytes of buffers do not fit into ${limit}`]),
    ...(bytesOf(requests['memory']) >= OWN_BYTES ? [] : [`less memory is asked for than a process needs`]),
    ...flushes.map(([name]) => `a flush of ${name} does not fit into the budget of ${budget} bytes`),
  ]
}

/** Selectors that do not select the service's pods, or select others. */
export function selectorFaults({ manifests }: Installed): readonly string[] {
  const set = manifests.spec('StatefulSet')
  const service = manifests.of('Service')[0]
  const { labels } = set.template.metadata
  const others = manifests.of('Pod').map(({ metadata }) => metadata.labels)
  const ofPods: readonly (readonly [string, Selector | undefined])[] = [
    ['StatefulSet', set.selector],
    ['Service', { matchLabels: manifests.spec('Service').selector }],
    ['PodDisruptionBudget', manifests.specIfThere('PodDisruptionBudget')?.selector],
    ['NetworkPolicy', manifests.specIfThere('NetworkPolicy')?.podSelector],
    ...(set.template.spec.topologySpreadConstraints ?? []).map(
      ({ topologyKey, labelSelector }) => [topologyKey, labelSelector] as const,
    ),
  ]
  const monitor = manifests.specIfThere('ServiceMonitor')?.selector
  return [
    ...ofPods.flatMap(([what, selector]) => [
      ...(selector === undefined || selects(selector.matchLabels, labels) ? [] : [`${what} misses the pods`]),
      ...(selector !== undefined && others.some((other) => selects(selector.matchLabels, other))
        ? [`${what} has other pods too`]
        : []),
    ]),
    ...(monitor === undefined || selects(monitor.matchLabels, service?.metadata.labels)
      ? []
      : ['ServiceMonitor misses the service']),
    ...(set.serviceName === service?.metadata.name ? [] : ['the set names another service']),
  ]
}

/** Servers that the service asks and that the network policy keeps from it; none where there is no policy. */
export function egressFaults({ manifests, config, env }: Installed): readonly string[] {
  const policy = manifests.specIfThere('NetworkPolicy')
  if (policy === undefined) return []
  const kept = serversOf(config, env).filter(({ host, port }) => {
    const [, namespace = '', service = ''] = host.split('.')
    const inCluster = service === 'svc' ? namespace : undefined
    return !policy.egress.some(
      ({ to, ports }) =>
        ports.some((each) => each.port === port && each.protocol === 'TCP') &&
        to.some((peer) =>
          inCluster === undefined
            ? peer.ipBlock !== undefined
            : peer.namespaceSelector?.matchLabels['kubernetes.io/metadata.name'] === inCluster,
        ),
    )
  })
  const names = policy.egress.some(({ ports }) =>
    ports.some(({ port, protocol }) => port === 53 && protocol === 'UDP'),
  )
  return [
    ...kept.map(({ host, port }) => `${host}:${port} is kept from it`),
    ...(names ? [] : ['the name server is kept from it']),
    ...(policy.policyTypes.join() === 'Ingress,Egress' ? [] : ['not both ways are guarded']),
    ...(policy.ingress.every(
      ({ from, ports }) => from.length > 0 && ports.every(({ port }) => port === 'http'),
    )
      ? []
      : ['more than the port of the endpoints lets somebody in']),
  ]
}

interface Server {
  readonly host: string
  readonly port: number
}

function serversOf(config: Config, env: Readonly<Record<string, string>>): readonly Server[] {
  const urls = [
    config.storage.s3.endpoint,
    config.schemaRegistry?.url,
    ...Object.keys(env)
      .filter((name) => /^OTEL_EXPORTER_OTLP_(?:\w+_)?ENDPOINT$/.test(name))
      .map((name) => env[name]),
    // Without an endpoint it is the cloud's own.
    ...(config.storage.s3.endpoint === undefined ? ['https://s3.amazonaws.com'] : []),
  ].filter((url) => url !== undefined)
  return [
    ...config.kafka.brokers.map((broker) => new URL(`http://${broker}`)),
    ...urls.map((url) => new URL(url)),
  ].map(({ hostname, port, protocol }) => {
    if (isIP(hostname) !== 0) throw new Error(`Expected a name, got ${hostname}`)
    return { host: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
  })
}

/** Where KEDA would scale by something else than what the service reads. */
export function scalingFaults({ manifests, config }: Installed): readonly string[] {
  const scaled = manifests.specIfThere('ScaledObject')
  const { replicas } = manifests.spec('StatefulSet')
  if (scaled === undefined) return replicas === undefined ? ['nobody says how many pods there are'] : []
  const { kind, name } = scaled.scaleTargetRef
  const patterns = Object.keys(config.patterns).length
  const topics = Object.values(config.topics)
  const asked = scaled.triggers
    .map(({ metadata }) => metadata['topic'])
    .filter((topic) => topic !== undefined)
  const countMax = Math.max(...topics.map(({ flush }) => flush.count))
  return [
    ...(replicas === undefined ? [] : ['the manifest would set back what KEDA has set']),
    ...(manifests.named(kind, name) === undefined ? ['it scales what is not there'] : []),
    ...(scaled.minReplicaCount <= scaled.maxReplicaCount ? [] : ['at least is more than at most']),
    ...(asked.toSorted().join() ===
    topics
      .map(({ topic }) => topic)
      .toSorted()
      .join()
      ? []
      : [`it asks for ${asked.join()}`]),
    ...(scaled.triggers.length - asked.length === patterns ? [] : ['a pattern is not asked for']),
    ...scaled.triggers.flatMap((trigger) => triggerFaults(trigger, manifests, config, countMax)),
  ]
}

function triggerFaults(
  { metadata, authenticationRef }: ScaledObject['triggers'][number],
  manifests: Manifests,
  { kafka }: Config,
  countMax: number,
): readonly string[] {
  const auth = authenticationRef?.name
  const wanted: Readonly<Record<string, string | undefined>> = {
    bootstrapServers: kafka.brokers.join(),
    consumerGroup: kafka.groupId,
    // What KEDA calls the logins of Kafka.
    sasl: kafka.sasl?.mechanism.replace('scram-sha-', 'scram_sha'),
    tls: kafka.ssl ? 'enable' : undefined,
    allowIdleConsumers: 'false',
    limitToPartitionsWithLag: metadata['topic'] === undefined ? 'false' : 'true',
  }
  return [
    ...Object.keys(wanted)
      .filter((key) => metadata[key] !== wanted[key])
      .map((key) => `${key} is ${String(metadata[key])}, not ${String(wanted[key])}`),
    // A flush that is on its way and the next that fills up are lag, though nothing is late.
    ...(Number(metadata['lagThreshold']) > 2 * countMax
      ? []
      : ['pods would be started for records that are in flight']),
    ...(kafka.sasl === undefined ||
    (auth !== undefined && manifests.named('TriggerAuthentication', auth) !== undefined)
      ? []
      : ['it cannot log in']),
  ]
}

/** What one way to install the service has in common with another, names of their own left out. */
export function essentialsOf({ manifests, config, env }: Installed, root: string): unknown {
  const { pod, container } = manifests
  const service = manifests.spec('Service')
  const policy = manifests.spec('NetworkPolicy')
  return {
    set: without(manifests.spec('StatefulSet'), 'template', 'selector'),
    pod: {
      ...without(pod, 'containers'),
      volumes: pod.volumes.map(({ name }) => name),
      topologySpreadConstraints: pod.topologySpreadConstraints?.map((each) => without(each, 'labelSelector')),
    },
    container: { ...without(container, 'args'), env },
    service: { clusterIP: service.clusterIP, ports: service.ports },
    ingress: policy.ingress,
    egress: policy.egress,
    budget: without(manifests.spec('PodDisruptionBudget'), 'selector'),
    // Paths are below the folder of the rendering.
    config: JSON.parse(JSON.stringify(config).replaceAll(root, '')) as unknown,
  }
}
