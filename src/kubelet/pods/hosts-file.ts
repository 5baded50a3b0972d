import type { HostAlias } from '#kinds/core/v1/pod-spec.ts'

/** The text of a pod's own /etc/hosts, as upstream's kubelet writes it. */
export function hostsFile(podIPs: readonly string[], hostname: string, fqdn: string | undefined, aliases: readonly HostAlias[]): string {
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIPs.map(ip => (fqdn ? `${ip}\t${fqdn}\t${hostname}` : `${ip}\t${hostname}`)),
  ]
  return `${lines.join('\n')}\n${aliasLines(aliases)}`
}

/** The node's own hosts file with the pod's aliases behind it: for pods in the node's network. */
export function nodeHostsFile(nodeHosts: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliasLines(aliases)}`
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  return `\n# Entries added by HostAliases.\n${aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`).join('')}`
}
