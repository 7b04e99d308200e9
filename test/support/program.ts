import { existsSync } from 'node:fs'

/** How Node is told to run a program of this project: its JavaScript where that lies beside it, else from its sources. */
export function programOf(path: string): readonly string[] {
  const compiled = path.replace(/\.ts$/, '.js')
  return existsSync(compiled) ? [compiled] : ['--import', 'tsx', path]
}
