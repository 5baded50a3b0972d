import type { Service } from '#kinds/core/v1/service.ts'

/** The variables that tell a container of the Services around it: `REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR` … */
export function serviceVariables(services: readonly Service[], namespace: string, enableServiceLinks: boolean): Map<string, string> {
  const variables = new Map<string, string>()
  for (const service of services) {
    const own = service.metadata.namespace === namespace
    const isApiServer = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes'
    if (!(isApiServer || (own && enableServiceLinks))) continue
    const clusterIP = service.spec.clusterIP
    if (!clusterIP || clusterIP === 'None') continue
    add(variables, service, clusterIP)
  }
  return variables
}

function add(variables: Map<string, string>, service: Service, clusterIP: string): void {
  const prefix = (service.metadata.name ?? '').toUpperCase().replaceAll('-', '_')
  const ports = service.spec.ports ?? []
  const [first] = ports
  if (!first) return
  const host = clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP
  variables.set(`${prefix}_SERVICE_HOST`, clusterIP)
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port))
  for (const port of ports) {
    if (port.name) variables.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port))
  }
  variables.set(`${prefix}_PORT`, `${first.protocol.toLowerCase()}://${host}:${first.port}`)
  for (const port of ports) {
    const name = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`
    variables.set(name, `${port.protocol.toLowerCase()}://${host}:${port.port}`)
    variables.set(`${name}_PROTO`, port.protocol.toLowerCase())
    variables.set(`${name}_PORT`, String(port.port))
    variables.set(`${name}_ADDR`, clusterIP)
  }
}
