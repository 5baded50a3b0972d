import type { Clock } from '#base/time/clock.ts'
import { readServersFile } from '#client/balancer/servers-file.ts'
import { joinAsAgent } from '../join/join-cluster.ts'
import { type AgentCertificates, areFresh, newAgentRequests, readAgentCertificates, writeAgentCertificates } from './agent-certificates.ts'
import type { AgentLayout } from './agent-record.ts'

type Node = Pick<AgentLayout, 'nodeName' | 'nodePassword' | 'address' | 'certificatesDir' | 'serversFile' | 'server'>

/**
 * The certificates of a node; those that end soon made anew: a node that is known asks for them by those it has, as long as these are good.
 * Any server will do; rejects with what the last one said if none did.
 */
export async function renewAgentCertificates(node: Node, present: AgentCertificates, clock: Clock): Promise<AgentCertificates> {
  if (areFresh(present, clock)) return present
  const { nodeName, nodePassword, address, certificatesDir } = node
  const { requests, keys } = await newAgentRequests(nodeName, address)
  const identity = { cert: present.kubelet.certificate, key: present.kubelet.privateKey }
  let failure: unknown
  for (const server of new Set([...readServersFile(node.serversFile), node.server])) {
    try {
      const answer = await joinAsAgent(server, present.authority, { nodeName, nodePassword, requests }, identity)
      writeAgentCertificates(certificatesDir, present.authority, keys, answer.certificates)
      return readAgentCertificates(certificatesDir)!
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
