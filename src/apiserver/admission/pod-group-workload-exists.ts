import type { Client } from '#client/client.ts'
import type { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { Workload } from '#kinds/scheduling/v1alpha2/workload.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Refuses a group of pods that names a workload, or a template in one, which is not there. */
export function podGroupWorkloadExists(client: () => Client): AdmissionPlugin {
  return {
    name: 'PodGroupWorkloadExists',
    async validate({ operation, kind, subresource, namespace, name, object }) {
      if (operation !== 'CREATE' || kind.kind !== 'PodGroup' || kind.group !== 'scheduling.k8s.io' || subresource !== '') return
      const reference = (object as unknown as PodGroup).spec.podGroupTemplateRef?.workload
      if (!reference) return
      const { workloadName, podGroupTemplateName } = reference
      const refuse = (why: string) => forbidden({ group: kind.group, resource: kind.plural }, name, `PodGroup rejected: ${why}`)
      const workload = await client()
        .get(Workload, { namespace, name: workloadName })
        .catch((error: unknown) => {
          throw isNotFound(error) ? refuse(`Workload ${quote(workloadName)} not found`) : error
        })
      if (workload.spec.podGroupTemplates.some(template => template.name === podGroupTemplateName)) return
      throw refuse(`PodGroupTemplate ${quote(podGroupTemplateName)} not found in Workload ${quote(workloadName)}`)
    },
  }
}
