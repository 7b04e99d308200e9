import type { AvroNode } from './schema.ts'

/** Returns the Parsing Canonical Form of a schema: without documentation, defaults, aliases and logical types. */
export function canonicalText(node: AvroNode): string {
  const known = new Set<string>()
  const textOf = (each: AvroNode): string => {
    switch (each.kind) {
      case 'array':
        return `{"type":"array","items":${textOf(each.items)}}`
      case 'map':
        return `{"type":"map","values":${textOf(each.values)}}`
      case 'union':
        return `[${each.branches.map(textOf).join(',')}]`
      case 'record':
      case 'enum':
      case 'fixed': {
        const name = JSON.stringify(each.name)
        if (known.has(each.name)) return name
        known.add(each.name)
        return `{"name":${name},"type":"${each.kind}",${partsOf(each, textOf)}}`
      }
      default:
        return `"${each.kind}"`
    }
  }
  return textOf(node)
}

function partsOf(
  node: Extract<AvroNode, { kind: 'record' | 'enum' | 'fixed' }>,
  textOf: (node: AvroNode) => string,
): string {
  if (node.kind === 'fixed') return `"size":${node.size}`
  if (node.kind === 'enum') return `"symbols":${JSON.stringify(node.symbols)}`
  const fields = node.fields.map(
    ({ name, node: type }) => `{"name":${JSON.stringify(name)},"type":${textOf(type)}}`,
  )
  return `"fields":[${fields.join(',')}]`
}

const EMPTY = 0xc15d213aa4d7a795n

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ EMPTY : value >> 1n
  return value
})

/** Returns the CRC-64-AVRO fingerprint, which identifies the schema of a single object. */
export function fingerprintOf(node: AvroNode): bigint {
  let value = EMPTY
  for (const byte of Buffer.from(canonicalText(node)))
    value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] as bigint)
  return value
}
