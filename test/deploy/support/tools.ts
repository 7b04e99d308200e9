import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { goPrograms } from '../../support/servers/go.ts'
import type { Manifest } from './manifests.ts'

const root = join(import.meta.dirname, '../../..')
const tools = join(import.meta.dirname, '../tools')
const run = promisify(execFile)
const RUN = { maxBuffer: 16 * 1024 * 1024, timeout: 60_000 }
/** That of the schemas; helm would take itself for a cluster of long ago. */
const KUBERNETES = '1.34.0'
const CHART = join(root, 'deploy/helm/kafka-delta')

/** What a text of manifests was found to be. */
export interface Verdict {
  readonly valid: number
  /** Lines about objects that are not valid, or of a kind that no schema is there for. */
  readonly faults: readonly string[]
}

/** kustomize, helm and kubeconform. */
export interface ManifestTools {
  /** Manifests of a folder below `deploy/kubernetes`, as text. */
  kustomize(folder: string): Promise<string>
  /**
   * Manifests of the chart as text, with files of its folder `ci` and `name=value`.
   * Rejects with what helm says.
   */
  helm(files: readonly string[], set?: readonly string[]): Promise<string>
  /** What helm's own check of the chart complains about; empty where all is well. */
  lint(files: readonly string[]): Promise<string>
  /** Checks every object against the schema of its kind, unknown fields too. */
  kubeconform(manifests: string): Promise<Verdict>
}

/**
 * The tools, built with Go the first time, which takes some minutes.
 * @throws KD_PREREQUISITE_MISSING where Go is missing
 */
export async function manifestTools(): Promise<ManifestTools> {
  const folder = await goPrograms(
    {
      name: 'manifest-tools',
      files: ['go.mod', 'go.sum', 'tools.go'].map((file) => join(tools, file)),
      buildMsMax: 20 * 60_000,
      missing: 'kustomize, helm and kubeconform are built with Go (1.26 or newer). Install it.',
    },
    [
      'github.com/yannh/kubeconform/cmd/kubeconform',
      'helm.sh/helm/v3/cmd/helm',
      'sigs.k8s.io/kustomize/kustomize/v5',
    ],
    () => {
      console.log('Building kustomize, helm and kubeconform with Go (once, some minutes)')
    },
  )
  const tool = (name: string): string => join(folder, name)
  return {
    kustomize: async (name) =>
      (await run(tool('kustomize'), ['build', join(root, 'deploy/kubernetes', name)], RUN)).stdout,
    helm: async (files, set = []) => {
      const args = ['template', 'kafka-delta', CHART, '--namespace', 'kafka-delta', ...given(files)]
      return (await run(tool('helm'), [...args, ...set.flatMap((each) => ['--set', each])], RUN)).stdout
    },
    lint: async (files) => {
      const { stdout } = await run(tool('helm'), ['lint', CHART, '--strict', '--quiet', ...given(files)], RUN)
      return stdout.trim()
    },
    kubeconform: (manifests) => verdictOf(tool('kubeconform'), manifests),
  }
}

function given(files: readonly string[]): string[] {
  const contract = join(root, 'schemas/user-events.schema.json')
  return [
    ...['--kube-version', KUBERNETES],
    ...files.flatMap((file) => ['--values', join(CHART, 'ci', file)]),
    ...['--set-file', `contracts.user-events\\.schema\\.json=${contract}`],
  ]
}

async function verdictOf(kubeconform: string, manifests: string): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-manifests-'))
  const schemas = join(root, 'test/fixtures/kubernetes/{{.ResourceKind}}{{.KindSuffix}}.json')
  try {
    const file = join(folder, 'manifests.yaml')
    await writeFile(file, manifests)
    const args = ['-strict', '-summary', '-output', 'json', '-schema-location', schemas, file]
    // It fails where something is not valid, and still says what.
    const { stdout } = await run(kubeconform, args, RUN).catch(
      (error: unknown) => error as { stdout: string },
    )
    const { resources, summary } = JSON.parse(stdout) as Conformance
    return {
      valid: summary.valid,
      faults: (resources ?? []).map(({ kind, name, msg }) => `${kind} ${name}: ${msg}`),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Conformance {
  readonly resources?: readonly { readonly kind: string; readonly name: string; readonly msg: string }[]
  readonly summary: { readonly valid: number }
}

/** The objects of a text, read as Kubernetes does: `0440` is octal. */
export function objectsOf(manifests: string): readonly Manifest[] {
  return parseAllDocuments(manifests, { version: '1.1' })
    .map((document) => {
      const [error] = document.errors
      if (error !== undefined) throw error
      return document.toJS() as Manifest | null
    })
    .filter((object) => object !== null)
}

/** Text of a file of the project. */
export function projectFile(name: string): Promise<string> {
  return readFile(join(root, name), 'utf8')
}
