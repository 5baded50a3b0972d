import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A port that a server listens on. Disposing of it ends what is being answered as well. */
export interface OpenPort extends AsyncDisposable {
  readonly port: number
}

/** Lets a server listen; port 0 is any free one. Rejects with what the system says (`EADDRINUSE`, `EACCES`). */
export async function openPort(server: Server | SecureServer, at: { readonly address: string; readonly port: number }): Promise<OpenPort> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.address, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}
