/** Any object of Kubernetes, as far as tests look at it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
  readonly spec?: unknown
  readonly data?: Readonly<Record<string, string>>
  readonly automountServiceAccountToken?: boolean
}

export interface Metadata {
  readonly name: string
  readonly labels?: Labels
}

export type Labels = Readonly<Record<string, string>>

export interface Selector {
  readonly matchLabels: Labels
}

export interface StatefulSet {
  readonly serviceName: string
  readonly replicas?: number
  readonly selector: Selector
  readonly template: { readonly metadata: Metadata; readonly spec: PodSpec }
}

export interface PodSpec {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string
    readonly whenUnsatisfiable: string
    readonly labelSelector: Selector
  }[]
  readonly containers: readonly Container[]
  readonly volumes: readonly Volume[]
}

export interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly Variable[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>
    readonly limits: Readonly<Record<string, string>>
  }
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

export interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } }
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

export interface Volume {
  readonly name: string
  readonly configMap?: { readonly name: string }
  readonly secret?: {
    readonly secretName: string
    readonly items: readonly { readonly key: string; readonly path: string }[]
  }
}

export interface Service {
  readonly clusterIP: string
  readonly selector: Labels
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[]
}

export interface NetworkPolicy {
  readonly podSelector: Selector
  readonly policyTypes: readonly string[]
  readonly ingress: readonly { readonly from: readonly Peer[]; readonly ports: readonly Port[] }[]
  readonly egress: readonly { readonly to: readonly Peer[]; readonly ports: readonly Port[] }[]
}

export interface Peer {
  readonly ipBlock?: { readonly cidr: string }
  readonly namespaceSelector?: Selector
  readonly podSelector?: Selector
}

export interface Port {
  readonly port: number | string
  readonly protocol: string
}

export interface ScaledObject {
  readonly scaleTargetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string }
  readonly minReplicaCount: number
  readonly maxReplicaCount: number
  readonly triggers: readonly {
    readonly type: string
    readonly metadata: Readonly<Record<string, string>>
    readonly authenticationRef?: { readonly name: string }
  }[]
}

/** What the specifications of kinds hold, as far as tests look at them. */
interface Specs {
  readonly StatefulSet: StatefulSet
  readonly Service: Service
  readonly NetworkPolicy: NetworkPolicy
  readonly PodDisruptionBudget: { readonly selector: Selector }
  readonly ServiceMonitor: { readonly selector: Selector }
  readonly ScaledObject: ScaledObject
}

/** The objects of one rendering, found by kind. */
export class Manifests {
  readonly all: readonly Manifest[]

  constructor(all: readonly Manifest[]) {
    this.all = all
  }

  /** The specification of the only object of a kind. */
  spec<K extends keyof Specs>(kind: K): Specs[K] {
    const [only, ...more] = this.of(kind)
    if (only === undefined || more.length > 0) throw new Error(`Expected one ${kind}, got ${more.length + 1}`)
    return only.spec as Specs[K]
  }

  /** As `spec`, where there may be none. */
  specIfThere<K extends keyof Specs>(kind: K): Specs[K] | undefined {
    return this.of(kind).length === 0 ? undefined : this.spec(kind)
  }

  of(kind: string): readonly Manifest[] {
    return this.all.filter((object) => object.kind === kind)
  }

  named(kind: string, name: string): Manifest | undefined {
    return this.of(kind).find((object) => object.metadata.name === name)
  }

  get pod(): PodSpec {
    return this.spec('StatefulSet').template.spec
  }

  /** The one container of the service's pods. */
  get container(): Container {
    const [only, ...more] = this.pod.containers
    if (only === undefined || more.length > 0) throw new Error('Expected one container')
    return only
  }
}

/** Whether an object with these labels is selected. */
export function selects(selector: Labels, labels: Labels = {}): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value)
}

/** Bytes of a quantity such as `512Mi`. */
export function bytesOf(quantity: string | undefined): number {
  const match = /^(\d+)(Ki|Mi|Gi)$/.exec(quantity ?? '')
  if (match === null) throw new Error(`Expected a quantity of memory, got ${String(quantity)}`)
  const powers: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3 }
  return Number(match[1]) * 1024 ** (powers[match[2] ?? ''] ?? 0)
}

/** A copy without some of its fields. */
export function without<T extends object, K extends keyof T>(from: T, ...names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(
    Object.entries(from).filter(([name]) => !names.some((each) => each === name)),
  ) as Omit<T, K>
}
