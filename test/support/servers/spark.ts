import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverFilePath } from '../../../src/local-servers/cache.ts'
import { JAVA_MISSING, fetchJars, javaCommand } from '../../../src/local-servers/maven.ts'
import { startProcess } from '../../../src/local-servers/process.ts'

/** A running Spark with Delta, one JVM for all who ask. It dies with the process that started it. */
export interface SparkServer {
  /** Port of the loopback address. A line in is `{"sql": …}`, a line out `{"rows": […]}` or `{"error": …}`. */
  readonly port: number
  readonly pid: number
  readonly logPath: string
  /** Ends Spark and removes what it kept. */
  stop(): Promise<void>
}

const START_MS_MAX = 180_000

/** Packages of Java that Spark looks into; its own launcher opens the same. */
const OPENED = [
  'java.lang',
  'java.lang.invoke',
  'java.lang.reflect',
  'java.io',
  'java.net',
  'java.nio',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'sun.nio.ch',
  'sun.nio.cs',
  'sun.security.action',
  'sun.util.calendar',
]

/**
 * Starts Spark SQL with Delta, fetched by Maven the first time. The program that answers is `servers/spark/SparkSql.java`, which Java
 * compiles as it starts, so a JDK is needed.
 * @throws KD_PREREQUISITE_MISSING where Java or Maven is missing; KD_SERVER_FAILED with the last log lines.
 */
export async function startSpark(
  options: { readonly say?: (message: string) => void } = {},
): Promise<SparkServer> {
  const libraries = await fetchJars('spark', options.say)
  const dir = await mkdtemp(join(tmpdir(), 'kafka-delta-spark-'))
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 5 })
  try {
    await mkdir(join(dir, 'local'))
    const logPath = join(dir, 'spark.log')
    const server = await startProcess({
      name: 'Spark',
      command: javaCommand(),
      args: [
        '-Xmx1g',
        // A session of some minutes: what the second compiler takes on two cores it never gives back.
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
        `-Dlog4j2.configurationFile=${serverFilePath('spark', 'log4j2.properties')}`,
        // Where Derby would leave its log.
        `-Dderby.system.home=${dir}`,
        '-Duser.timezone=UTC',
        '-cp',
        join(libraries, '*'),
        serverFilePath('spark', 'SparkSql.java'),
        dir,
      ],
      logPath,
      ready: /Spark listens on port (\d+)/,
      startMsMax: START_MS_MAX,
      missing: JAVA_MISSING,
    })
    return {
      port: Number(server.ready[1]),
      pid: server.pid,
      logPath,
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
