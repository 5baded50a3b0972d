import type { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'

/** How objects of a definition get from one version to another. */
export interface Conversion {
  /**
   * The object in another version; the very object if that is its own. Throws a `ConversionPending` where somebody has to be asked first, and
   * a StatusError where that failed.
   */
  convert(object: Record<string, unknown>, apiVersion: string): Record<string, unknown>
  /** Gets the conversions of several objects at once. */
  prepare?(objects: readonly Record<string, unknown>[], apiVersion: string): Promise<void> | undefined
}

/** Makes the conversion of a definition. */
export type ConversionFactory = (definition: CustomResourceDefinition) => Conversion

/** Versions differ in their name only. */
export const noConversion: Conversion = {
  convert: (object, apiVersion) => (object['apiVersion'] === apiVersion ? object : { ...object, apiVersion }),
}
