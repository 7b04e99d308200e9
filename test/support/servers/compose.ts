import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ensureCached } from '../../../src/local-servers/cache.ts'
import { runProgram } from '../../../src/local-servers/process.ts'

/** The library that `docker compose` reads its files with; its command prints what `docker compose config` would. */
const MODULE = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2'
const MISSING = 'compose files are checked with a program of Go (1.24 or newer), which is not installed'
const BUILD_MS_MAX = 10 * 60_000
const RUN_MS_MAX = 60_000

/**
 * Resolves where `docker compose` takes a file. The first call builds its reader with Go, which takes half a minute; later
 * ones take it from the cache.
 * @throws KD_PREREQUISITE_MISSING where Go is missing; KD_SERVER_FAILED with what is wrong with the file
 */
export async function checkCompose(file: string): Promise<void> {
  const folder = await ensureCached(`compose-go-${MODULE.split('@')[1] ?? ''}`, [], async (target) => {
    const env = { GOBIN: target, CGO_ENABLED: '0', GOFLAGS: '-trimpath' }
    await runProgram('go', ['install', MODULE], {
      env,
      missing: MISSING,
      runMsMax: BUILD_MS_MAX,
      cwd: tmpdir(),
    })
  })
  await runProgram(join(folder, 'cmd'), [file], {
    missing: MISSING,
    runMsMax: RUN_MS_MAX,
    cwd: dirname(file),
  })
}
