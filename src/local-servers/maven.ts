import { dirname, join } from 'node:path'
import { existsSync } from 'node:fs'
import { ensureCached, serverFilePath } from './cache.ts'
import { runProgram } from './process.ts'

/** Tells the user what to do if Java or Maven is missing. */
export const JAVA_MISSING =
  'a local server needs Java 17 or newer and Maven. Install both, or use Docker: `docker compose up`. ' +
  'To use an existing Kafka, set KAFKA_BOOTSTRAP_SERVERS.'

const FETCH_MS_MAX = 10 * 60_000

/** Returns the Java program: that of `JAVA_HOME`, otherwise `java` on the path. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME']
  const program = home === undefined || home === '' ? undefined : join(home, 'bin', 'java')
  return program !== undefined && existsSync(program) ? program : 'java'
}

/**
 * Returns the folder with the jars of `servers/<name>/pom.xml` and their dependencies, in the version that the file names
 * or in `version`, which sets its property `<name>.version`. Maven downloads them once for each content of that file and
 * each version; later calls use the cache.
 * @throws KD_PREREQUISITE_MISSING if Java or Maven is missing, KD_SERVER_FAILED if Maven fails
 */
export async function fetchJars(
  name: string,
  onProgress: (message: string) => void = () => {},
  version?: string,
): Promise<string> {
  const pom = serverFilePath(name, 'pom.xml')
  await runProgram(javaCommand(), ['-version'], { missing: JAVA_MISSING, runMsMax: 60_000 })
  const cached = version === undefined ? `${name}-jars` : `${name}-${version}-jars`
  const properties = version === undefined ? [] : [`-D${name}.version=${version}`]
  return ensureCached(cached, [pom], async (folder) => {
    onProgress(`Downloading the jars of servers/${name} with Maven (only the first time)`)
    await runProgram(
      'mvn',
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, ...properties],
      {
        missing: JAVA_MISSING,
        runMsMax: FETCH_MS_MAX,
        cwd: dirname(pom),
      },
    )
  })
}
