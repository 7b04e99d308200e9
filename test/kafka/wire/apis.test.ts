import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  APIS,
  type ApiName,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../../src/kafka/wire/apis.ts'
import { isArrayType } from '../../../src/kafka/wire/decode.ts'
import {
  type ApiTable,
  type FieldTable,
  versionBoundsOf,
  type WireField,
} from '../../../src/kafka/wire/schema.ts'
import { grammarOf } from './support/grammar.ts'
import { definitionsOfJava } from './support/java.ts'

/** A field of Kafka's own message definitions. */
interface DefinedField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly default?: string | number
  readonly ignorable?: boolean
  readonly fields?: readonly DefinedField[]
}

interface Definition {
  readonly apiKey: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly DefinedField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly DefinedField[] }[]
}

const NAMES = Object.keys(APIS) as ApiName[]

test("The field tables match Kafka's own message definitions", async () => {
  const messages = NAMES.flatMap((name) => [`${name}Request`, `${name}Response`])
  const texts = await definitionsOfJava(messages)
  for (const [i, message] of messages.entries()) {
    const definition = JSON.parse((texts[i] ?? '').replace(/^\s*\/\/.*$/gm, '')) as Definition
    const name = NAMES[Math.floor(i / 2)] as ApiName
    const table: ApiTable = APIS[name]
    assert.equal(table.key, definition.apiKey, message)
    const [oldest = NaN, newest = oldest] = definition.validVersions.split('-').map(Number)
    assert.equal(table.versions[0], oldest, message)
    // The tables may be newer than the jars.
    assert.ok(table.versions[1] >= newest, message)
    const flexible =
      definition.flexibleVersions === 'none' ? undefined : Number.parseInt(definition.flexibleVersions)
    assert.equal(table.flexibleFrom, flexible, message)
    const structures = new Map((definition.commonStructs ?? []).map(({ name: own, fields }) => [own, fields]))
    const fields = message.endsWith('Request') ? table.request : table.response
    assert.deepEqual(shapesOf(fields, newest), definedShapes(definition.fields, structures), message)
  }
})

test('The grammar in the docstring of a table matches the table', () => {
  for (const name of NAMES) {
    const file = name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
    const path = ['', 'group/', 'admin/', 'transactions/']
      .map((folder) => `src/kafka/wire/messages/${folder}${file}.ts`)
      .find((one) => existsSync(one))
    const text = readFileSync(path ?? assert.fail(`${file} is missing`), 'utf8')
    const grammar = grammarOf(name, APIS[name]).map((line) => ` *     ${line}\n`)
    assert.ok(text.includes(` *\n${grammar.join('')} */`), `${file}: ${grammar.join('')}`)
  }
})

test('Only flexible versions have tagged fields in their headers, and no response of ApiVersions has', () => {
  assert.equal(requestHeaderVersion(APIS.Fetch, 11), 1)
  assert.equal(requestHeaderVersion(APIS.Fetch, 12), 2)
  assert.equal(responseHeaderVersion(APIS.Fetch, 11), 0)
  assert.equal(responseHeaderVersion(APIS.Fetch, 12), 1)
  assert.equal(requestHeaderVersion(APIS.ApiVersions, 3), 2)
  assert.equal(responseHeaderVersion(APIS.ApiVersions, 3), 0)
  assert.equal(requestHeaderVersion(APIS.SaslHandshake, 1), 1)
})

function shapesOf(table: FieldTable, newest: number): unknown {
  return Object.entries(table)
    .filter(([, { versions }]) => versionBoundsOf(versions)[0] <= newest)
    .map(([name, field]) => {
      const { type } = field
      const one = isArrayType(type) ? type[0] : type
      return {
        ...{ name, type: `${isArrayType(type) ? '[]' : ''}${typeof one === 'string' ? one : 'struct'}` },
        ...{ versions: field.versions, nullable: field.nullable, tag: field.tag, ignorable: field.ignorable },
        default: defaultText(field),
        fields: typeof one === 'string' ? undefined : shapesOf(one, newest),
      }
    })
}

function defaultText({ default: own }: WireField): string | undefined {
  return own === undefined || own === '' ? undefined : String(own)
}

function definedShapes(
  fields: readonly DefinedField[],
  structures: Map<string, readonly DefinedField[]>,
): unknown {
  return fields.map((field) => {
    const element = field.type.replace(/^\[\]/, '')
    const inner = field.fields ?? structures.get(element)
    // A structure that is defined at its first use may be referenced by name later.
    if (inner !== undefined) structures.set(element, inner)
    const own = field.default === undefined || field.default === '' ? undefined : String(field.default)
    return {
      name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
      type: inner === undefined ? field.type : field.type.replace(element, 'struct'),
      versions: field.versions,
      nullable: field.nullableVersions,
      tag: field.tag,
      ignorable: field.ignorable === true ? true : undefined,
      default: own?.startsWith('0x') === true ? String(Number(own)) : own,
      fields: inner === undefined ? undefined : definedShapes(inner, structures),
    }
  })
}
