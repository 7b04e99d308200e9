import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ensureCached, serverFilePath } from '../../../src/local-servers/cache.ts'
import { runProgram } from '../../../src/local-servers/process.ts'

/** A module of Go of which programs are built. */
export interface GoModule {
  /** In the name of the folder that is kept. */
  readonly name: string
  /** Paths of all files of the module. */
  readonly files: readonly string[]
  readonly buildMsMax: number
  /** What to say where Go is not installed. */
  readonly missing: string
}

/** A program of Go whose module lies below `servers/` of this package. */
export interface GoProgram extends GoModule {
  /** Folder below `servers/`, and name of the program. */
  readonly name: string
  /** Files of that folder that the build reads. */
  readonly files: readonly string[]
  /** What is built: a package's path, or `.`. */
  readonly source: string
}

/**
 * The path of the program, built the first time and taken from the cache later; `building` is called before a build.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED with the last lines
 */
export async function goProgram(program: GoProgram, building: () => void): Promise<string> {
  const { name, source } = program
  const files = program.files.map((file) => serverFilePath(name, file))
  const folder = await built({ ...program, files }, (target) => [join(target, name), source], building)
  return join(folder, name)
}

/**
 * The folder with the programs that the packages `sources` make, each by the last part of its path that is no version;
 * built the first time and taken from the cache later.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED with the last lines
 */
export function goPrograms(
  module: GoModule,
  sources: readonly string[],
  building: () => void,
): Promise<string> {
  return built(module, (target) => [`${target}/`, ...sources], building)
}

function built(
  { name, files, missing, buildMsMax }: GoModule,
  outputAndSources: (target: string) => readonly string[],
  building: () => void,
): Promise<string> {
  return ensureCached(name, files, async (target) => {
    building()
    // Built in a copy: the package's own folder may be read-only.
    const copy = await mkdtemp(join(tmpdir(), `kafka-delta-${name}-build-`))
    try {
      await Promise.all(files.map((file) => copyFile(file, join(copy, basename(file)))))
      const args = ['build', '-o', ...outputAndSources(target)]
      await runProgram('go', args, { cwd: copy, env: { CGO_ENABLED: '0' }, missing, runMsMax: buildMsMax })
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
  })
}
