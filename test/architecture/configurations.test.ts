// The configurations of the compiler that only some commands use, such as that of the benchmark, are free of faults.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import ts from 'typescript'

const CONFIGURATIONS = readdirSync('.').filter((name) => /^tsconfig.*\.json$/.test(name))

test('Every configuration of the compiler is one', () => {
  assert.ok(CONFIGURATIONS.includes('tsconfig.bench.json'), CONFIGURATIONS.join())
  for (const name of CONFIGURATIONS) {
    const faults: string[] = []
    const note = ({ messageText }: ts.Diagnostic): void => {
      faults.push(ts.flattenDiagnosticMessageText(messageText, '\n'))
    }
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: note }
    const parsed = ts.getParsedCommandLineOfConfigFile(name, undefined, host)
    assert.ok(parsed, `${name}: ${faults.join()}`)
    parsed.errors.forEach(note)
    ts.createProgram([], parsed.options).getOptionsDiagnostics().forEach(note)
    assert.deepEqual(faults, [], name)
  }
})
