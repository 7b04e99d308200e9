import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePorts, runProgram, startProcess } from '../../../src/local-servers/process.ts'

/** A Prometheus that asks one service every second. It dies with the process that started it. */
export interface PrometheusServer {
  readonly url: string
  /** The samples that an expression has now. Rejects with Prometheus's own words where it is none. */
  query(expr: string): Promise<readonly Sample[]>
  /** The alerts that fire now, with what their annotations say. */
  firing(): Promise<readonly Alert[]>
  /** All rules, with how their last evaluation went: `ok`, `err` or `unknown`. */
  rules(): Promise<readonly RuleHealth[]>
  stop(): Promise<void>
}

/** One series at one time. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** How a rule was evaluated last. */
export interface RuleHealth {
  readonly name: string
  readonly health: string
  readonly lastError?: string
}

/** An alert of a rule. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const MISSING = 'Prometheus is not installed (in Debian the package `prometheus`, which has promtool too)'
const START_MS_MAX = 60_000
const TOOL_MS_MAX = 180_000

/**
 * Starts a real Prometheus for the service at `target` (`host:port`, job `kafka-delta`) with these rules.
 * @throws KD_PREREQUISITE_MISSING where it is not installed; KD_SERVER_FAILED with its last lines
 */
export async function startPrometheus(target: string, rules: string): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    await writeFile(join(folder, 'rules.yaml'), rules)
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'kafka-delta', static_configs: [{ targets: [target] }] }],
    }
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yaml'), JSON.stringify(config))
    const [port = 0] = await findFreePorts(1)
    const server = await startProcess({
      name: 'Prometheus',
      command: 'prometheus',
      args: [
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      logPath: join(folder, 'prometheus.log'),
      ready: /Server is ready to receive web requests/,
      startMsMax: START_MS_MAX,
      missing: MISSING,
    })
    const url = `http://127.0.0.1:${port}`
    return {
      url,
      query: (expr) => query(url, expr),
      firing: () => firing(url),
      rules: () => evaluated(url),
      stop: async () => {
        await server.stop('SIGKILL')
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** What promtool says against metrics in text form; rejects with it. */
export async function checkMetrics(metrics: string): Promise<void> {
  const tool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  const keep = (chunk: Buffer): void => void (said += chunk.toString())
  tool.stdout.on('data', keep)
  tool.stderr.on('data', keep)
  tool.stdin.end(metrics)
  const [code] = (await once(tool, 'close')) as [number | null]
  if (code !== 0) throw new Error(`promtool ended with ${String(code)}:\n${said}`)
}

/** Runs promtool to its end; rejects with its last lines where it finds faults. */
export function promtool(...args: readonly string[]): Promise<void> {
  return runProgram('promtool', args, { missing: MISSING, runMsMax: TOOL_MS_MAX })
}

async function query(url: string, expr: string): Promise<readonly Sample[]> {
  const { result } = (await ask(url, `query?query=${encodeURIComponent(expr)}`)) as {
    result: readonly { metric: Record<string, string>; value: [number, string] }[]
  }
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
}

async function firing(url: string): Promise<readonly Alert[]> {
  const { alerts } = (await ask(url, 'alerts')) as { alerts: readonly (Alert & { state: string })[] }
  return alerts.filter(({ state }) => state === 'firing')
}

async function evaluated(url: string): Promise<readonly RuleHealth[]> {
  const { groups } = (await ask(url, 'rules')) as { groups: readonly { rules: readonly RuleHealth[] }[] }
  return groups.flatMap((group) => group.rules)
}

async function ask(url: string, path: string): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/${path}`)
  const body = (await answer.json()) as { status: string; error?: string; data?: unknown }
  if (body.status !== 'success') throw new Error(`${path}: ${String(body.error)}`)
  return body.data
}
