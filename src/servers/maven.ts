import { dirname, join } from 'node:path'
import { existsSync } from 'node:fs'
import { cached, serverFile } from './cache.ts'
import { run } from './process.ts'

/** What to do where Java or Maven is missing: one line, both ways out. */
export const JAVA_MISSING =
  'a real server needs Java 17 or newer and Maven. Install both, or use Docker: `docker compose up`. ' +
  'With a Kafka of your own set KAFKA_BOOTSTRAP_SERVERS.'

const FETCH_MS_MAX = 10 * 60_000

/** The Java program to use: of `JAVA_HOME`, else the one on the path. */
export function java(): string {
  const home = process.env['JAVA_HOME']
  const program = home === undefined || home === '' ? undefined : join(home, 'bin', 'java')
  return program !== undefined && existsSync(program) ? program : 'java'
}

/**
 * The folder with the jars that `servers/<name>/pom.xml` names and all that they need: fetched by Maven once for each
 * content of that file, later taken from the cache.
 * @throws KD_PREREQUISITE_MISSING where Java or Maven is missing; KD_SERVER_FAILED when Maven fails.
 */
export async function jars(name: string, say: (message: string) => void = () => {}): Promise<string> {
  const pom = serverFile(name, 'pom.xml')
  await run(java(), ['-version'], { missing: JAVA_MISSING, runMsMax: 60_000 })
  return cached(`${name}-jars`, [pom], async (folder) => {
    say(`Fetching the jars of servers/${name} with Maven (once)`)
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`], {
      missing: JAVA_MISSING,
      runMsMax: FETCH_MS_MAX,
      cwd: dirname(pom),
    })
  })
}
