import { microTime, type Schema, time } from '#machinery/schema/schema.ts'

/** A time that upstream keeps by value: written as `null` until it is set. */
export const timeOrNull: Schema<string | null> = time
/** The same with microseconds. */
export const microTimeOrNull: Schema<string | null> = microTime
