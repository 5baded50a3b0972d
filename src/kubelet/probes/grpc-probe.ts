import { Client, credentials, status as grpcStatus, type Metadata } from '@grpc/grpc-js'
import type { ProbeOutcome } from './http-probe.ts'

const SERVING = 1
const NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** Asks the standard health service (grpc.health.v1.Health/Check) of a server. Its two messages are small enough to write by hand. */
export function probeGrpc(host: string, port: number, service: string, timeoutMs: number, now: number): Promise<ProbeOutcome> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const client = new Client(address, credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36' })
  return new Promise(resolve => {
    const finish = (result: ProbeOutcome['result'], message: string) => {
      client.close()
      resolve({ result, message })
    }
    client.makeUnaryRequest<string, number>(
      '/grpc.health.v1.Health/Check',
      encodeRequest,
      decodeResponse,
      service,
      { deadline: now + timeoutMs } as unknown as Metadata,
      (error, served) => {
        if (error?.code === grpcStatus.UNIMPLEMENTED) {
          return finish('failure', 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)')
        }
        if (error?.code === grpcStatus.DEADLINE_EXCEEDED || error?.code === grpcStatus.UNAVAILABLE) {
          return finish('failure', `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: context deadline exceeded`)
        }
        if (error) return finish('failure', `error: health rpc probe failed: ${error.message}`)
        if (served !== SERVING) return finish('failure', `service unhealthy (responded with "${NAMES[served ?? 0] ?? served}")`)
        finish('success', 'service healthy')
      },
    )
  })
}

/** HealthCheckRequest { string service = 1 } */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service)
  return text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, text.length]), text])
}

/** HealthCheckResponse { ServingStatus status = 1 } */
function decodeResponse(bytes: Buffer): number {
  return bytes.length >= 2 && bytes[0] === 0x08 ? bytes[1]! : 0
}
