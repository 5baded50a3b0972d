/**
 * What programs that run for long are started with: those in bin/ by their launchers, the processes of `t8s up` and `t8s agent` by whoever starts them.
 *
 * Hot: bench/apiserver — young objects are collected by one thread. Several cost more CPU than they save time: with a core or two they wait
 * for each other (creating a pod in process: 270 µs instead of 300). A larger young generation brought nothing that could be measured, and costs memory.
 *
 * For the same reason one thread helps with full collections and compiling, not four: after each collection they swept for a tenth of a second, beside
 * two busy threads on two cores, and a hundredth of the requests waited 20 ms (now 14). It takes 3 MB less, too.
 */
export const NODE_FLAGS: readonly string[] = ['--no-parallel-scavenge', '--v8-pool-size=1']
