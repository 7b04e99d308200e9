// Generates the JSON Schemas that tests validate manifests with: `npm run schemas:kubernetes`. Requires Go,
// which downloads the sources.
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'

type Schema = Readonly<Record<string, unknown>>

/** Go modules with the API descriptions, and the kinds that are taken from each. */
const KUBERNETES = 'k8s.io/kubernetes@v1.34.1'
const KINDS: Readonly<Record<string, string>> = {
  'io.k8s.api.apps.v1.StatefulSet': 'statefulset-apps-v1',
  'io.k8s.api.core.v1.ConfigMap': 'configmap-v1',
  'io.k8s.api.core.v1.Namespace': 'namespace-v1',
  'io.k8s.api.core.v1.Pod': 'pod-v1',
  'io.k8s.api.core.v1.Secret': 'secret-v1',
  'io.k8s.api.core.v1.Service': 'service-v1',
  'io.k8s.api.core.v1.ServiceAccount': 'serviceaccount-v1',
  'io.k8s.api.networking.v1.NetworkPolicy': 'networkpolicy-networking-v1',
  'io.k8s.api.policy.v1.PodDisruptionBudget': 'poddisruptionbudget-policy-v1',
}
const CUSTOM: readonly {
  readonly source: string
  readonly folder: string
  readonly files: readonly string[]
}[] = [
  {
    source: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_servicemonitors.yaml', 'monitoring.coreos.com_prometheusrules.yaml'],
  },
  {
    source: 'github.com/kedacore/keda/v2@v2.20.2',
    folder: 'config/crd/bases',
    files: ['keda.sh_scaledobjects.yaml', 'keda.sh_triggerauthentications.yaml'],
  },
]
/** Keywords of a schema that are copied unchanged. */
const KEPT: readonly string[] = [
  ...[
    'type',
    'required',
    'enum',
    'pattern',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
  ],
  ...['minProperties', 'maxProperties', '$ref'],
]
const TEXT_OR_WHOLE = [{ type: 'string' }, { type: 'integer' }]
const TEXT_OR_NUMBER = [{ type: 'string' }, { type: 'number' }]
const NO_KIND = { group: '', kind: '', version: '' }
const TARGET = join(import.meta.dirname, '../test/fixtures/kubernetes')

/** Writes one file per kind, with all definitions that it refers to. */
async function ofKubernetes(): Promise<string[]> {
  const folder = await downloaded(KUBERNETES)
  const text = await readFile(join(folder, 'api/openapi-spec/swagger.json'), 'utf8')
  const { definitions } = JSON.parse(text) as { readonly definitions: Readonly<Record<string, Schema>> }
  return Promise.all(
    Object.entries(KINDS).map(async ([name, file]) => {
      const used: Record<string, unknown> = {}
      const kind = strict(definitions[name] ?? {})
      const waiting = referredTo(kind)
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        if (next in used) continue
        used[next] = strict(definitions[next] ?? {})
        waiting.push(...referredTo(used[next]))
      }
      const [{ group, kind: called, version } = NO_KIND] = definitions[name]?.[
        'x-kubernetes-group-version-kind'
      ] as readonly { readonly group: string; readonly kind: string; readonly version: string }[]
      return write(`${file}.json`, {
        ...named(kind, group === '' ? version : `${group}/${version}`, called),
        definitions: used,
      })
    }),
  )
}

/** Writes one file per version of each custom kind. */
async function ofCustomKinds(): Promise<string[]> {
  const files = await Promise.all(
    CUSTOM.map(async ({ source, folder, files: names }) => {
      const from = join(await downloaded(source), folder)
      return Promise.all(
        names.map(async (file) => {
          const { spec } = parse(await readFile(join(from, file), 'utf8')) as CustomResource
          const { kind } = spec.names
          return Promise.all(
            spec.versions.map(({ name: version, schema }) => {
              const [group = ''] = spec.group.split('.')
              const api = `${spec.group}/${version}`
              return write(
                `${kind.toLowerCase()}-${group}-${version}.json`,
                named(strict(schema.openAPIV3Schema), api, kind),
              )
            }),
          )
        }),
      )
    }),
  )
  return files.flat(2)
}

interface CustomResource {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly {
      readonly name: string
      readonly schema: { readonly openAPIV3Schema: Schema }
    }[]
  }
}

/** Adds the identity of the kind to a schema: a server looks it up by these fields, so they are required. */
function named(schema: Schema, apiVersion: string, kind: string): Schema {
  const properties = schema['properties'] as Schema
  return {
    ...schema,
    required: ['apiVersion', 'kind', 'metadata'],
    properties: {
      ...properties,
      apiVersion: { enum: [apiVersion] },
      kind: { enum: [kind] },
      // Schemas of custom kinds omit it, because the server adds it.
      metadata:
        'definitions' in schema || '$ref' in (properties['metadata'] as Schema)
          ? properties['metadata']
          : { type: 'object' },
    },
  }
}

/**
 * Converts a Kubernetes schema to a JSON Schema that rejects unknown fields, like a server with strict field
 * validation. Descriptions are omitted.
 */
function strict(value: unknown): Schema {
  if (!isObject(value)) return value as Schema
  const to = taken(value)
  const closed = 'properties' in value && !('additionalProperties' in value)
  return closed && value['x-kubernetes-preserve-unknown-fields'] !== true
    ? { ...to, additionalProperties: false }
    : to
}

/** Converts the constraints of a schema, without rejecting unknown fields. */
function taken(from: Schema): Schema {
  if (from['x-kubernetes-int-or-string'] === true || from['format'] === 'int-or-string')
    return { anyOf: TEXT_OR_WHOLE }
  // Quantities may also be written as numbers.
  if (String(from['description']).startsWith('Quantity is a fixed-point')) return { anyOf: TEXT_OR_NUMBER }
  const to: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(from)) {
    if (key === 'properties') to[key] = mapped(value as Schema, strict)
    else if (key === 'items' || key === 'additionalProperties') to[key] = strict(value)
    else if (key === 'not') to[key] = taken(value as Schema)
    // Each subschema describes only a part of the object.
    else if (key === 'allOf' || key === 'anyOf' || key === 'oneOf') to[key] = (value as Schema[]).map(taken)
    else if (KEPT.includes(key)) to[key] = value
  }
  if (from['nullable'] === true && typeof from['type'] === 'string') to['type'] = [from['type'], 'null']
  return to
}

function mapped(of: Schema, make: (value: unknown) => Schema): Schema {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, make(value)]))
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function referredTo(schema: unknown): string[] {
  const names = JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)
  return [...names].map(([, name = '']) => name)
}

async function downloaded(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module])
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir
}

async function write(file: string, schema: Schema): Promise<string> {
  await writeFile(join(TARGET, file), `${JSON.stringify(schema)}\n`)
  return file
}

function readme(files: readonly string[]): string {
  return `# Schemas of Kubernetes objects

<!-- Generated by \`npm run schemas:kubernetes\`. -->

JSON Schemas that kubeconform validates our manifests with in tests, one file per kind. They are generated from the API
descriptions in these Go modules, all under the Apache License 2.0; textual descriptions are omitted, and unknown fields are
rejected:

- \`${KUBERNETES}\`, \`api/openapi-spec/swagger.json\`
${CUSTOM.map(({ source, folder }) => `- \`${source}\`, \`${folder}\``).join('\n')}

${[...files]
  .sort()
  .map((file) => `- \`${file}\``)
  .join('\n')}
`
}

await rm(TARGET, { recursive: true, force: true })
await mkdir(TARGET, { recursive: true })
const written = [...(await ofKubernetes()), ...(await ofCustomKinds())]
await writeFile(join(TARGET, 'README.md'), readme(written))
console.log(`Wrote ${written.length} schemas to ${TARGET}`)
