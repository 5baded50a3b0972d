/**
 * What programs that run for long are started with: those in bin/ by their launchers, the processes of `t8s up` and `t8s agent` by whoever starts them.
 *
 * Hot: bench/apiserver — young objects are collected by one thread. Several cost more CPU than they save time: with a core or two they wait
 * for each other (creating a pod in process: 270 µs instead of 300). A larger young generation brought nothing that could be measured, and costs memory.
 *
 * For the same reason two threads help with full collections and compiling, not four: after each collection they swept for a tenth of a second, beside
 * two busy threads on two cores (p99 of the mixed load 8 ms instead of 9 to 12). With one, the buffers of a cluster of 100,000 pods were kept until all
 * of the heap was collected, which hurried that: every five seconds (bench/loops held: p99 1.2 s instead of 0.04).
 */
export const NODE_FLAGS: readonly string[] = ['--no-parallel-scavenge', '--v8-pool-size=2']
