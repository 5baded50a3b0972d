import type { Exchange } from '../http/exchange.ts'
import { exchangeWith } from '../http/exchange-with.ts'
import type { AuditRecord } from './audit-record.ts'

/** The same exchange; when its answer begins and when it is over is recorded, whoever answers and however. */
export function auditedExchange(exchange: Exchange, record: AuditRecord): Exchange {
  const { upgrade } = exchange
  return exchangeWith(exchange, {
    answer(status, headers, body) {
      record.started(status)
      exchange.answer(status, headers, body)
      record.completed()
    },
    stream(status, headers) {
      record.started(status)
      exchange.onAbort(() => record.completed())
      const stream = exchange.stream(status, headers)
      const over = (act: () => void) => () => {
        act()
        record.completed()
      }
      return Object.create(stream, { end: { value: over(() => stream.end()) }, destroy: { value: over(() => stream.destroy()) } })
    },
    ...(upgrade
      ? {
          upgrade: {
            ...upgrade,
            take() {
              record.started(101)
              const socket = upgrade.take()
              socket.once('close', () => record.completed())
              return socket
            },
          },
        }
      : {}),
  })
}
