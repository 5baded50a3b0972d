import type { Exchange, Upgrade } from '../http/exchange.ts'
import { exchangeWith } from '../http/exchange-with.ts'
import type { AuditRecord } from './audit-record.ts'

/** The same exchange; when its answer begins and when it is over is recorded, whoever answers and however. Hot: bench/access. */
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
      exchange.onClose(() => record.completed())
      return exchange.stream(status, headers)
    },
    ...(upgrade ? { upgrade: auditedUpgrade(upgrade, record) } : {}),
  })
}

function auditedUpgrade(upgrade: Upgrade, record: AuditRecord): Upgrade {
  return {
    ...upgrade,
    take() {
      record.started(101)
      const socket = upgrade.take()
      socket.once('close', () => record.completed())
      return socket
    },
  }
}
