import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { before, describe, it } from 'node:test'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TYPES = ['rows', 'formats'].map((name) => `${ROOT}test/types/${name}.ts`)

/** A program that a test writes: the compiler takes it from memory. */
const WRONG = `${ROOT}test/types/wrong.ts`
const WRONG_TEXT = `
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import { columns, nullable } from '../../src/rows/row-schema.ts'
import type { Infer } from '../../src/rows/row-types.ts'
const total = columns({ id: 'long', note: 'string?', place: nullable({ city: 'string', zip: 'string?' }) })
type Total = Infer<typeof total>
mapRows((t: Total) => ({ id: t.id, nota: 'x' }), total)
mapRows((t: Total) => ({ id: t.id, place: { city: 'Ulm', zap: '1' } }), total)
mapRows((t: Total) => ({ id: t.id, note: 1 }), total)
filterRows((t: Total) => t.noot === null)
columns({ id: 'lonng' })
`

describe('Types of rows', () => {
  let messages: readonly string[] = []

  before(() => {
    messages = compile()
  })

  const inFile = (path: string): readonly string[] => messages.filter((message) => message.startsWith(path))

  it('are accepted where they fit and refused where they do not', () => {
    assert.deepEqual(TYPES.flatMap(inFile), [])
  })

  it('name the field and the column in the messages of the compiler', () => {
    const expected = [
      /:8 .*NoSuchColumn<"nota">/s,
      /:9 .*NoSuchColumn<"zap">/s,
      /:10 .*'number' is not assignable to type 'string'/s,
      /:11 .*'noot' does not exist/,
      /:12 .*"lonng".*Did you mean '"long"'/s,
    ]
    const wrong = inFile(WRONG)
    assert.equal(wrong.length, expected.length, wrong.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(wrong[index] ?? '', pattern)
  })
})

/** Compiles the programs with the settings of the project, and returns the errors as `PATH:LINE MESSAGE`. */
function compile(): readonly string[] {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, incremental: false, tsBuildInfoFile: undefined, noUnusedLocals: false },
    ROOT,
  )
  const files = ts.createCompilerHost(options)
  const host: ts.CompilerHost = {
    ...files,
    fileExists: (path) => path === WRONG || files.fileExists(path),
    readFile: (path) => (path === WRONG ? WRONG_TEXT : files.readFile(path)),
    getSourceFile: (path, ...rest) =>
      path === WRONG ? ts.createSourceFile(path, WRONG_TEXT, rest[0]) : files.getSourceFile(path, ...rest),
  }
  const program = ts.createProgram([...TYPES, WRONG], options, host)
  const faults = [...TYPES, WRONG].flatMap((path) => {
    const source = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  return [...program.getOptionsDiagnostics(), ...faults].map(({ file, start = 0, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${file?.fileName ?? ''}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
