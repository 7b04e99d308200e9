import type { DataType } from '../../core/schema.ts'

/** A data type in one line, such as `array<struct<a: long>>`. */
export function typeText(type: DataType): string {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'array':
      return `array<${typeText(type.elementType)}>`
    case 'map':
      return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${typeText(field.type)}`).join(', ')}>`
  }
}
