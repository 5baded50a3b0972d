import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const ContainerRestartPolicy = oneOf('Always', 'Never', 'OnFailure')
export type ContainerRestartPolicy = StoredOf<typeof ContainerRestartPolicy>
