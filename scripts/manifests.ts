// Copies files of the project into manifests and chart: `npm run manifests`. With `--check` it only compares
// them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { prometheusRule } from './prometheus-rule.ts'

/** Describes a file that is generated from another one. Paths are relative to the root of the project. */
interface Copy {
  readonly from: string
  readonly to: string
  readonly as?: (text: string) => string
}

/** Copies are required because neither kustomize nor helm reads files outside of its own folder. */
const COPIES: readonly Copy[] = [
  {
    from: 'deploy/prometheus/alerts.yaml',
    to: 'deploy/kubernetes/components/monitoring/prometheus-rule.yaml',
    as: prometheusRule,
  },
  { from: 'deploy/prometheus/alerts.yaml', to: 'deploy/helm/kafka-delta/files/alerts.yaml' },
  { from: 'deploy/grafana/dashboard.json', to: 'deploy/helm/kafka-delta/files/dashboard.json' },
  {
    from: 'schemas/user-events.schema.json',
    to: 'deploy/kubernetes/base/contracts/user-events.schema.json',
  },
]

const root = join(import.meta.dirname, '..')

/** Returns the paths of copies that differ from their sources, relative to the root of the project. */
export function staleCopies(): string[] {
  return COPIES.filter(({ to, ...copy }) => textOf(to) !== wanted(copy)).map(({ to }) => to)
}

function writeCopies(): void {
  for (const { to, ...copy } of COPIES) {
    mkdirSync(dirname(join(root, to)), { recursive: true })
    writeFileSync(join(root, to), wanted(copy))
  }
}

function wanted({ from, as = (text) => text }: Omit<Copy, 'to'>): string {
  return as(readFileSync(join(root, from), 'utf8'))
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--check')) {
    for (const path of staleCopies()) {
      console.error(`${path} is stale: it differs from its source; run npm run manifests`)
      process.exitCode = 1
    }
  } else writeCopies()
}
