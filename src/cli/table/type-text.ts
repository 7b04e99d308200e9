import type { DataType } from '../../core/schema.ts'

/** Formats a data type on one line, such as `array<struct<a: long>>`. */
export function formatDataType(type: DataType): string {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'array':
      return `array<${formatDataType(type.elementType)}>`
    case 'map':
      return `map<${formatDataType(type.keyType)}, ${formatDataType(type.valueType)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${formatDataType(field.type)}`).join(', ')}>`
  }
}
