/** Node 20 has `Symbol.dispose` and `Symbol.asyncDispose` from 20.4 on; older engines get them here, before anything uses them. */
const symbols = Symbol as unknown as { dispose?: symbol; asyncDispose?: symbol }
symbols.dispose ??= Symbol('Symbol.dispose')
symbols.asyncDispose ??= Symbol('Symbol.asyncDispose')
