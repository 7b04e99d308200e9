/** Writes an intersection of object types as one object type, so that editors show its members. */
export type Simplify<T> = { [Name in keyof T]: T[Name] } & {}
